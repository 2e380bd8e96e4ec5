//! SmolLM3: Llama without rotary embedding in every fourth layer (NoPE, arXiv:2501.18795).

use crate::error::Result;
use crate::llm::config::{LayerConfig, ModelConfig};
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let base = h.decoder(RopeKind::Interleaved)?;
    let rope = |l: usize| if l % 4 == 3 { None } else { Some(0) };
    let layers = (0..base.layers.len()).map(|l| LayerConfig { window: None, rope: rope(l) }).collect();
    Ok(ModelConfig { layers, ..base })
}
