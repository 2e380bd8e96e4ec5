//! Qwen 3.5: three of four layers mix positions by a gated delta net (arXiv:2412.06464), the others by gated attention with norms
//! of each query and key head (arXiv:2505.06708), of which a part rotates.

use crate::error::{Result, bail};
use crate::llm::config::{Mixer, ModelConfig, QkNorm};
use crate::llm::hyper::Hyper;
use crate::ops::{DeltaShape, RopeKind};

/// The last layer of this many has attention.
const PERIOD: u32 = 4;
/// The models have 4; a sum over more would be a long convolution.
const MAX_KERNEL: u32 = 64;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = h.decoder(RopeKind::HalfSplit)?;
    check_sections(h, base.ropes[0].n_rot)?;
    let n_nextn = h.n_nextn()?;
    if n_nextn >= base.n_layer() {
        bail!(MalformedGguf, "{n_nextn} of {} layers predict further tokens: no other is left", base.n_layer());
    }
    let shape = delta_shape(h)?;
    let period = h.dim_opt("full_attention_interval")?.unwrap_or(PERIOD) as usize;
    let recurrent = h.layer_flags("attention.recurrent_layers")?;
    base.layers.truncate((base.n_layer() - n_nextn) as usize);
    for (l, layer) in base.layers.iter_mut().enumerate() {
        if recurrent.as_ref().map_or((l + 1) % period != 0, |layers| layers[l]) {
            (layer.mixer, layer.rope) = (Mixer::DeltaNet(shape), None);
        }
    }
    Ok(ModelConfig { ffn_norm: "post_attention_norm", n_nextn, qk_norm: QkNorm::Head, gated_attention: true, ..base })
}

fn delta_shape(h: &Hyper<'_>) -> Result<DeltaShape> {
    let [n_k, n_v, head_dim] = [h.dim("ssm.group_count")?, h.dim("ssm.time_step_rank")?, h.dim("ssm.state_size")?];
    let (inner, kernel) = (h.dim("ssm.inner_size")?, h.dim("ssm.conv_kernel")?);
    if !n_v.is_multiple_of(n_k) || u64::from(n_v) * u64::from(head_dim) != u64::from(inner) {
        bail!(
            MalformedGguf,
            "{n_v} value heads of {head_dim} elements with {n_k} key heads do not make '{}', which is {inner}",
            h.key("ssm.inner_size")
        );
    }
    if !head_dim.is_multiple_of(16) || head_dim > 128 {
        bail!(UnsupportedArchitecture, "states of {head_dim} elements a key; multiples of 16 up to 128 are supported");
    }
    if !(2..=MAX_KERNEL).contains(&kernel) {
        let key = h.key("ssm.conv_kernel");
        bail!(MalformedGguf, "metadata '{key}' is {kernel}, 2 to {MAX_KERNEL} is allowed");
    }
    Ok(DeltaShape { n_k, n_v, head_dim, kernel })
}

/// Pairs of a head rotate by time, height or width. These are the same for text, so that it does not matter which pair has which;
/// but one that has none would not rotate.
fn check_sections(h: &Hyper<'_>, n_rot: u32) -> Result<()> {
    let key = "rope.dimension_sections";
    let Some(sections) = h.integers(key)? else { bail!(MalformedGguf, "metadata '{}' is no array", h.key(key)) };
    let sum: u64 = sections.iter().map(|&n| u64::from(n)).sum();
    let rotates = |pair: u32| {
        let place = u64::from(pair) % sum;
        sections.get((place % 3) as usize).is_some_and(|&n| place < 3 * u64::from(n))
    };
    if sum == 0 || !(0..n_rot / 2).all(rotates) {
        bail!(
            UnsupportedArchitecture,
            "metadata '{}' is {sections:?}: some of {} pairs would not rotate, which is not supported",
            h.key(key),
            n_rot / 2
        );
    }
    Ok(())
}
