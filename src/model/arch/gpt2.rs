//! GPT-2 (Radford et al. 2019): LayerNorm, learned positions, fused qkv, biases, GELU.

use crate::error::Result;
use crate::model::config::{Ffn, Hyper, LayerConfig, ModelConfig};
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = h.decoder(RopeKind::Interleaved)?;
    Ok(ModelConfig {
        learned_positions: true,
        ropes: Vec::new(),
        layers: vec![LayerConfig { window: None, rope: None }; base.layers.len()],
        ffn: Ffn::Gelu,
        ..base
    })
}
