//! GPT-2 (Radford et al. 2019): LayerNorm, learned positions, fused qkv, biases, GELU.

use crate::error::Result;
use crate::llm::config::{Ffn, ModelConfig, Norm};
use crate::llm::hyper::Hyper;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = h.blocks(Norm::Layer { eps: h.epsilon("attention.layer_norm_epsilon")? })?;
    Ok(ModelConfig { learned_positions: true, ffn: Ffn::Gelu, ..base })
}
