//! ERNIE 4.5, the dense models: Llama under another name.

use crate::error::Result;
use crate::llm::config::ModelConfig;
use crate::llm::hyper::Hyper;
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    h.no_experts()?;
    h.decoder(RopeKind::Interleaved)
}
