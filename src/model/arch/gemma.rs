//! Gemma (arXiv:2403.08295): a scaled embedding, GeGLU, large heads.

use crate::error::Result;
use crate::model::config::{Ffn, Hyper, ModelConfig};
use crate::ops::{Act, RopeKind};

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = h.decoder(RopeKind::HalfSplit)?;
    Ok(ModelConfig { embedding_scale: (base.n_embd as f32).sqrt(), ffn: Ffn::Gated(Act::Gelu), ..base })
}
