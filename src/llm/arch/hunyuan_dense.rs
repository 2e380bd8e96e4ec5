//! Hunyuan's dense models: each query and key head is normed after it is rotated.

use crate::error::{Result, bail};
use crate::llm::config::{ModelConfig, QkNorm, RopeScaling};
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = h.decoder(RopeKind::HalfSplit)?;
    // A longer context by a larger base.
    if let (Some(alpha), true) = (h.scale_opt("rope.scaling.alpha")?.filter(|&a| a > 0.0), base.head_dim > 2) {
        let dim = base.head_dim as f32;
        base.ropes.iter_mut().for_each(|rope| rope.freq_base *= alpha.powf(dim / (dim - 2.0)));
    }
    // Norms would take a growth of cosines and sines out again.
    if base.ropes.iter().any(|rope| rope.magnitude != 1.0 || matches!(rope.scaling, RopeScaling::Yarn { .. })) {
        bail!(
            UnsupportedArchitecture,
            "rope scaling by yarn or 'attn_factor' before the norm of heads is not supported"
        );
    }
    Ok(ModelConfig { qk_norm: QkNorm::RotatedHead, ..base })
}
