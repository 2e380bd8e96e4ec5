//! LFM2 (arXiv:2511.23404): most layers mix positions by a gated short convolution, the others by attention with norms of
//! each query and key head.

use crate::error::{Result, bail};
use crate::llm::config::{Mixer, ModelConfig, QkNorm};
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

/// The models have 3; a sum over more would be a long convolution.
const MAX_KERNEL: u32 = 64;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = hybrid(h)?;
    let window = h.sliding_window()?;
    base.layers.iter_mut().filter(|l| l.mixer == Mixer::Attention).for_each(|l| l.window = window);
    Ok(base)
}

/// Layers without key-value heads are convolutions.
pub fn hybrid(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = h.decoder(RopeKind::HalfSplit)?;
    let kernel = h.dim("shortconv.l_cache")?;
    if !(2..=MAX_KERNEL).contains(&kernel) {
        bail!(MalformedGguf, "metadata '{}.shortconv.l_cache' is {kernel}, 2 to {MAX_KERNEL} is allowed", h.arch);
    }
    let has_heads = h.kv_heads()?.map_or_else(Vec::new, |(_, layers)| layers);
    for (layer, has) in base.layers.iter_mut().zip(has_heads) {
        if !has {
            (layer.mixer, layer.rope) = (Mixer::ShortConv { kernel }, None);
        }
    }
    Ok(ModelConfig { qk_norm: QkNorm::Head, output_norm: "token_embd_norm", ..base })
}
