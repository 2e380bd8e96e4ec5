//! Llama (arXiv:2302.13971) and what is built like it: Mistral, TinyLlama, SmolLM2.

use crate::error::{Result, bail};
use crate::model::config::{Hyper, ModelConfig};
use crate::ops::RopeKind;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let n_experts = h.gguf.metadata.u32("llama.expert_count")?.unwrap_or(0);
    if n_experts > 0 {
        bail!(UnsupportedArchitecture, "the model is a mixture of {n_experts} experts, which is not supported");
    }
    h.decoder(RopeKind::Interleaved)
}
