//! Granite 3: Llama with four multipliers; some have no rotary embedding (NoPE, arXiv:2305.19466).

use crate::error::Result;
use crate::llm::config::{LayerConfig, ModelConfig};
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    h.no_experts()?;
    let base = h.decoder(RopeKind::Interleaved)?;
    // In these files the key says whether positions are embedded at all.
    let has_rope = h.bool_opt("rope.scaling.finetuned")?.unwrap_or(true);
    let layers = base.layers.iter().map(|&layer| LayerConfig { rope: has_rope.then_some(0), ..layer }).collect();
    Ok(ModelConfig {
        layers,
        embedding_scale: h.scale("embedding_scale")?,
        attention_scale: h.scale_opt("attention.scale")?.unwrap_or(base.attention_scale),
        residual_scale: h.scale("residual_scale")?,
        // The file has the divisor.
        logit_scale: 1.0 / h.scale("logit_scale")?,
        ..base
    })
}
