//! What a model takes of GPU memory, known from its header.

use super::config::ModelConfig;
use super::load::LoadOptions;
use super::weights::Bytes;
use crate::error::{Result, bail};
use crate::gguf::Gguf;

/// Positions of the KV cache where the caller names none: enough for a chat, cheap on a phone.
const DEFAULT_CONTEXT: u32 = 4096;

/// The sizes a model is loaded with, and the memory they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Positions the KV cache holds.
    pub n_ctx: u32,
    /// Tokens of a prefill batch.
    pub n_batch: u32,
    pub bytes: Bytes,
}

impl Need {
    /// The caller's context, or a default; never more than the model knows.
    ///
    /// # Errors
    /// `InvalidArgument` for a context out of range; as [`Bytes::of`].
    pub fn of(gguf: &Gguf, c: &ModelConfig, options: &LoadOptions) -> Result<Self> {
        let n_ctx = match options.context_length {
            Some(n) if n == 0 || n > c.n_ctx_train => {
                bail!(InvalidArgument, "contextLength is {n}, 1 to {} is allowed for this model", c.n_ctx_train)
            }
            Some(n) => n,
            None => c.n_ctx_train.min(DEFAULT_CONTEXT),
        };
        let n_batch = options.n_batch.clamp(1, n_ctx);
        Ok(Need { n_ctx, n_batch, bytes: Bytes::of(gguf, c, n_ctx, n_batch, options.kv_type)? })
    }
}
