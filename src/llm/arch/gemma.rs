//! Gemma (arXiv:2403.08295): a scaled embedding, GeGLU, large heads.

use crate::error::Result;
use crate::llm::config::{Ffn, ModelConfig};
use crate::llm::hyper::Hyper;
use crate::ops::{Act, RopeKind};

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = h.decoder(RopeKind::HalfSplit)?;
    Ok(ModelConfig { embedding_scale: (base.n_embd as f32).sqrt(), ffn: Ffn::Gated(Act::Gelu), ..base })
}

/// Of Gemma 2 and 3: 1 / sqrt of the head's size. The 27B, told by its number of layers, takes its embedding's share of
/// a head instead.
pub fn attention_scale(c: &ModelConfig, n_layer_27b: usize) -> f32 {
    let scaled_by = if c.layers.len() == n_layer_27b { c.n_embd / c.n_head } else { c.head_dim };
    f64::from(scaled_by).powf(-0.5) as f32
}
