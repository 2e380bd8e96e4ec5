//! Qwen 3 (arXiv:2505.09388): RMSNorm of each query and key head.

use crate::error::Result;
use crate::llm::config::{ModelConfig, QkNorm};
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    Ok(ModelConfig { qk_norm: QkNorm::Head, ..h.decoder(RopeKind::HalfSplit)? })
}
