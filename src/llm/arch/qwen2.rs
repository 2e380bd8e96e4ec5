//! Qwen 2 and 2.5 (arXiv:2407.10671): Llama with biases of q, k and v.

use crate::error::Result;
use crate::llm::config::ModelConfig;
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    h.decoder(RopeKind::HalfSplit)
}
