//! Llama (arXiv:2302.13971) and what is built like it: Mistral, TinyLlama, SmolLM2, Granite Code.

use crate::error::Result;
use crate::llm::config::ModelConfig;
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    h.no_experts()?;
    h.decoder(RopeKind::Interleaved)
}
