//! SmolLM3: Llama without rotary embedding in every fourth layer (NoPE, arXiv:2501.18795).

use crate::error::Result;
use crate::llm::config::ModelConfig;
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let mut base = h.decoder(RopeKind::Interleaved)?;
    base.layers.iter_mut().skip(3).step_by(4).for_each(|layer| layer.rope = None);
    Ok(base)
}
