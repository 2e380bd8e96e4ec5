//! LFM2 mixtures of experts (arXiv:2511.23404): LFM2 with experts in all but the first layers. The router's sigmoids are
//! the experts' weights; a bias counts for the choice alone (arXiv:2408.15664).

use super::{lfm2, qwen3moe};
use crate::error::{Result, bail};
use crate::llm::config::{DenseLead, Ffn, Gate, ModelConfig};
use crate::llm::hyper::Hyper;

/// `expert_gating_func` of sigmoids.
const SIGMOID: u32 = 2;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let (n_expert, n_used) = qwen3moe::n_experts(h)?;
    let gating = h.dim("expert_gating_func")?;
    if gating != SIGMOID {
        let key = format!("{}.expert_gating_func", h.arch);
        bail!(UnsupportedArchitecture, "metadata '{key}' is {gating}; only {SIGMOID}, a sigmoid, is supported");
    }
    let base = lfm2::hybrid(h)?;
    let n_layer = h.u32_opt("leading_dense_block_count")?.unwrap_or(0);
    let n_ff = if n_layer > 0 { h.layer_dim("feed_forward_length")? } else { 0 };
    Ok(ModelConfig {
        n_ff: h.layer_dim("expert_feed_forward_length")?,
        ffn: Ffn::Experts { n_expert, n_used, gate: Gate::Sigmoid },
        dense_lead: DenseLead { n_layer, n_ff },
        ..base
    })
}
