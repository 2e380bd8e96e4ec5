//! Qwen 3 mixtures of experts (arXiv:2505.09388): Qwen 3 with experts in every layer.

use super::qwen3;
use crate::error::{Result, bail};
use crate::model::config::{Ffn, Hyper, ModelConfig};

/// No known model has more; with it, rows of all experts together stay within u32.
const MAX_EXPERTS: u32 = 1024;

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let (n_expert, n_used) = (h.dim("expert_count")?, h.dim("expert_used_count")?);
    if n_expert > MAX_EXPERTS || n_used > n_expert {
        bail!(MalformedGguf, "{n_used} of {n_expert} experts are used; all of up to {MAX_EXPERTS} can be");
    }
    let n_ff = h.dim("expert_feed_forward_length")?;
    Ok(ModelConfig { n_ff, ffn: Ffn::Experts { n_expert, n_used }, ..qwen3::config(h)? })
}
