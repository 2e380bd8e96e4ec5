//! Granite 3: Llama with four multipliers.

use crate::error::Result;
use crate::model::config::{Hyper, ModelConfig};
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = h.decoder(RopeKind::Interleaved)?;
    Ok(ModelConfig {
        embedding_scale: h.scale("embedding_scale")?,
        attention_scale: h.scale_opt("attention.scale")?.unwrap_or(base.attention_scale),
        residual_scale: h.scale("residual_scale")?,
        // The file has the divisor.
        logit_scale: 1.0 / h.scale("logit_scale")?,
        ..base
    })
}
