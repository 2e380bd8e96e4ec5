//! GPT-2 (Radford et al. 2019): LayerNorm, learned positions, fused qkv, biases, GELU.

use crate::error::Result;
use crate::model::config::{Ffn, Hyper, ModelConfig, Norm, Positions};

pub fn config(h: &Hyper<'_>) -> Result<ModelConfig> {
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
        norm: Norm::Layer { eps: h.epsilon("attention.layer_norm_epsilon")? },
        positions: Positions::Learned,
        ffn: Ffn::Gelu,
    })
}
