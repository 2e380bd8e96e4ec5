//! Llama (arXiv:2302.13971) and what is built like it: Mistral, TinyLlama, SmolLM2.

use crate::error::{Result, bail};
use crate::model::config::{Ffn, Hyper, ModelConfig, Norm, Positions};
use crate::ops::{Act, RopeKind};

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
    let n_experts = h.gguf.metadata.u32("llama.expert_count")?.unwrap_or(0);
    if n_experts > 0 {
        bail!(UnsupportedArchitecture, "the model is a mixture of {n_experts} experts, which is not supported");
    }
    let n_embd = h.dim("embedding_length")?;
    let (n_head, n_head_kv, head_dim) = h.heads(n_embd)?;
    Ok(ModelConfig {
        arch: h.arch.to_owned(),
        n_embd,
        n_layer: h.dim("block_count")?,
        n_head,
        n_head_kv,
        head_dim,
        n_ff: h.dim("feed_forward_length")?,
        n_vocab: h.n_vocab()?,
        n_ctx_train: h.dim("context_length")?,
        norm: Norm::Rms { eps: h.epsilon("attention.layer_norm_rms_epsilon")? },
        positions: Positions::Rope(h.rope(RopeKind::Interleaved, head_dim)?),
        ffn: Ffn::Gated(Act::Silu),
    })
}
