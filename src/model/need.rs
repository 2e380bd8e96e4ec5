//! What a model takes of GPU memory, known from its header, and whether there is so much.

use super::config::ModelConfig;
use super::load::LoadOptions;
use super::weights::Bytes;
use crate::error::{Result, bail};
use crate::gguf::Gguf;
use crate::ops::KvType;

/// Positions of the KV cache where the caller names none: enough for a chat, cheap on a phone.
const DEFAULT_CONTEXT: u32 = 4096;

/// The sizes a model is loaded with, and the memory they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Positions the KV cache holds.
    pub n_ctx: u32,
    /// Tokens of a prefill batch.
    pub n_batch: u32,
    pub kv_type: KvType,
    pub bytes: Bytes,
}

impl Need {
    /// The caller's context, or a default; never more than the model knows.
    ///
    /// # Errors
    /// `InvalidArgument` for a context out of range or a type of KV cache that does not suit the heads; as
    /// [`Bytes::of`].
    pub fn of(gguf: &Gguf, c: &ModelConfig, options: &LoadOptions) -> Result<Self> {
        let n_ctx = match options.context_length {
            Some(n) if n == 0 || n > c.n_ctx_train => {
                bail!(InvalidArgument, "contextLength is {n}, 1 to {} is allowed for this model", c.n_ctx_train)
            }
            Some(n) => n,
            None => c.n_ctx_train.min(DEFAULT_CONTEXT),
        };
        // No device is known here: what takes most.
        let kv_type = options.kv_type.unwrap_or(KvType::F32);
        kv_type.check(c.head_dim)?;
        let n_batch = options.n_batch.clamp(1, n_ctx);
        Ok(Need { n_ctx, n_batch, kv_type, bytes: Bytes::of(gguf, c, n_ctx, n_batch, kv_type)? })
    }

    /// What of it is beyond the budget.
    #[must_use]
    pub fn excess(&self, budget: &Budget) -> Option<Excess> {
        let (total, buffer) = (self.bytes.total(), self.bytes.largest_buffer);
        match budget.total {
            Some(limit) if total > limit => Some(Excess::Total { bytes: total, limit }),
            _ if buffer > budget.buffer => Some(Excess::Buffer { bytes: buffer, limit: budget.buffer }),
            _ => None,
        }
    }
}

/// The memory a model may take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Altogether, where anything is known of it.
    pub total: Option<u64>,
    /// The largest buffer that the device lets kernels use.
    pub buffer: u64,
}

/// What is too much, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    Total { bytes: u64, limit: u64 },
    Buffer { bytes: u64, limit: u64 },
}

impl Excess {
    #[must_use]
    pub fn limit(self) -> u64 {
        match self {
            Excess::Total { limit, .. } | Excess::Buffer { limit, .. } => limit,
        }
    }
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Excess::Total { bytes, limit } => {
                write!(f, "{bytes} bytes of GPU memory are needed, the memory budget is {limit}")
            }
            Excess::Buffer { bytes, limit } => {
                write!(f, "a buffer of {bytes} bytes is needed, this device allows {limit}")
            }
        }
    }
}

/// Whether a model fits, and how it would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// What the options ask for.
    pub need: Need,
    pub excess: Option<Excess>,
    /// The largest context that fits, up to the one asked for; `None` where not even one position does.
    pub n_ctx: Option<u32>,
}

impl Fit {
    /// # Errors
    /// As [`Need::of`].
    pub fn of(gguf: &Gguf, c: &ModelConfig, options: &LoadOptions, budget: &Budget) -> Result<Self> {
        let need = Need::of(gguf, c, options)?;
        let excess = need.excess(budget);
        let n_ctx = match excess {
            None => need.n_ctx,
            Some(_) => largest(need.n_ctx - 1, |n| {
                let options = LoadOptions { context_length: Some(n), ..options.clone() };
                Ok(Need::of(gguf, c, &options)?.excess(budget).is_none())
            })?,
        };
        Ok(Fit { need, excess, n_ctx: Some(n_ctx).filter(|&n| n > 0) })
    }

    /// Why it does not fit, with the numbers and what would.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let Bytes { weights, kv_cache, activations, .. } = self.need.bytes;
        let would = match self.n_ctx {
            Some(n) => format!("a contextLength of {n} fits"),
            None => "no contextLength fits".into(),
        };
        self.excess.map(|excess| {
            format!(
                "the model does not fit with a context of {}: {excess} (weights {weights}, KV cache {kv_cache}, \
                 activations {activations}); {would}",
                self.need.n_ctx
            )
        })
    }

    /// # Errors
    /// `OutOfGpuMemory` where the model does not fit.
    pub fn check(&self) -> Result<()> {
        match self.reason() {
            Some(reason) => bail!(OutOfGpuMemory, "{reason}"),
            None => Ok(()),
        }
    }
}

/// The largest number up to `max` that fits, 0 where none does. Of two numbers the smaller fits where the larger does.
fn largest(max: u32, fits: impl Fn(u32) -> Result<bool>) -> Result<u32> {
    let (mut low, mut high) = (0, max);
    while low < high {
        let middle = high - (high - low) / 2;
        if fits(middle)? {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bisection_finds_the_largest() {
        for max in [0, 1, 2, 7, 4096, u32::MAX] {
            for limit in [0, 1, 2, 6, 7, 4095, 4096, u32::MAX - 1, u32::MAX] {
                assert_eq!(largest(max, |n| Ok(n <= limit)), Ok(max.min(limit)), "{max} {limit}");
            }
        }
    }
}
