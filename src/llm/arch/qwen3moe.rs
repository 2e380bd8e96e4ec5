//! Qwen 3 mixtures of experts (arXiv:2505.09388): Qwen 3 with experts in every layer.

use super::qwen3;
use crate::error::{Result, bail};
use crate::llm::config::{Ffn, Gate, ModelConfig};
use crate::llm::hyper::Hyper;

/// No known model has more; with it, rows of all experts together stay within u32.
const MAX_EXPERTS: u32 = 1024;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let (n_expert, n_used) = n_experts(h)?;
    // The router takes the softmax of all experts, and the weights of those it chooses make 1.
    h.fixed("expert_gating_func", &[1.0])?;
    let base = qwen3::config(h)?;
    let n_ff = h.layer_dim_opt("expert_feed_forward_length")?.unwrap_or(base.n_ff / n_used);
    Ok(ModelConfig { n_ff, ffn: Ffn::Experts { n_expert, n_used, gate: Gate::Softmax }, ..base })
}

/// Experts of a layer and those of them that a token goes to, whose weights make 1.
pub fn n_experts(h: &Hyper<'_>) -> Result<(u32, u32)> {
    let (n_expert, n_used) = (h.dim("expert_count")?, h.layer_dim("expert_used_count")?);
    if n_expert > MAX_EXPERTS || n_used > n_expert {
        bail!(MalformedGguf, "{n_used} of {n_expert} experts are used; all of up to {MAX_EXPERTS} can be");
    }
    if let Some(n) = h.u32_opt("expert_group_count")?.filter(|&n| n > 1) {
        bail!(UnsupportedArchitecture, "the experts are in {n} groups; only one is supported");
    }
    h.fixed("expert_weights_scale", &[1.0])?;
    if h.bool_opt("expert_weights_norm")? == Some(false) {
        h.warn(format!("metadata '{}.expert_weights_norm' is false and ignored: weights of experts make 1", h.arch));
    }
    Ok((n_expert, n_used))
}
