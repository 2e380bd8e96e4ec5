//! Qwen 3.5 mixtures of experts: Qwen 3.5 with experts in every layer, one of them for all tokens, with a gate.

use super::{qwen3moe, qwen35};
use crate::error::Result;
use crate::llm::config::{Ffn, Gate, ModelConfig};
use crate::llm::hyper::Hyper;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let (n_expert, n_used) = qwen3moe::n_experts(h)?;
    h.fixed("expert_gating_func", &[1.0])?;
    let base = qwen35::config(h)?;
    let n_ff = h.layer_dim_opt("expert_feed_forward_length")?.unwrap_or(base.n_ff / n_used);
    let n_ff_shared = h.dim_opt("expert_shared_feed_forward_length")?.unwrap_or(base.n_ff);
    Ok(ModelConfig { n_ff, n_ff_shared, ffn: Ffn::Experts { n_expert, n_used, gate: Gate::Softmax }, ..base })
}
