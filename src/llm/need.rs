//! What a model takes of GPU memory, known from its header, and whether there is that much.

use super::blocks::State;
use super::config::ModelConfig;
use super::network::Network;
use super::options::LoadOptions;
use super::sequence::Memory;
use super::weights::Sizes;
use crate::error::{Result, bail};
use crate::formats::gguf::Gguf;
use crate::ops::KvType;

/// Positions of the KV cache where the caller names none: enough for a chat, cheap on a phone.
const DEFAULT_CONTEXT: u32 = 4096;

/// What a model takes of GPU memory with one sequence, in bytes: the sums of the lists that it is allocated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryNeed {
    pub weights: u64,
    /// What the blocks keep of a sequence.
    pub kv_cache: u64,
    /// Activations of a batch, logits, rotary tables, and the sampler's buffers.
    pub activations: u64,
    /// The largest buffer, of those that are not cut into several if they are too large for the device.
    pub largest_buffer: u64,
    /// What one more sequence takes.
    pub sequence: u64,
    /// What one more position of context takes of the KV cache.
    pub position: u64,
}

impl MemoryNeed {
    #[must_use]
    pub fn total(&self) -> u64 {
        self.weights.saturating_add(self.kv_cache).saturating_add(self.activations)
    }
}

/// The sizes that a model is loaded with, and the memory that they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub sizes: Sizes,
    pub bytes: MemoryNeed,
}

impl Need {
    /// The caller's context, or a default; never more than the model knows.
    ///
    /// # Errors
    /// `InvalidArgument` for a context out of range or a type of KV cache that does not suit the heads; as
    /// [`Network::new`].
    pub fn of(gguf: &Gguf, c: &ModelConfig, options: &LoadOptions) -> Result<Self> {
        Self::on(gguf, c, options, u64::MAX)
    }

    /// The same on a device that binds buffers of up to `max_binding_bytes`.
    fn on(gguf: &Gguf, c: &ModelConfig, options: &LoadOptions, max_binding_bytes: u64) -> Result<Self> {
        let n_ctx = match options.context_length {
            Some(n) if n == 0 || n > c.n_ctx_train => {
                bail!(InvalidArgument, "context_length is {n}, 1 to {} is allowed for this model", c.n_ctx_train)
            }
            Some(n) => n,
            None => c.n_ctx_train.min(DEFAULT_CONTEXT),
        };
        #[cfg(feature = "test-block")]
        let options =
            &LoadOptions { n_batch: if options.running_sum { 1 } else { options.n_batch }, ..options.clone() };
        let sizes = Sizes {
            n_ctx,
            n_batch: options.n_batch.clamp(1, n_ctx),
            // No device is known here: what takes most.
            kv_type: options.kv_type.unwrap_or(KvType::F32),
            #[cfg(feature = "test-block")]
            running_sum: options.running_sum,
        };
        sizes.kv_type.check(c.head_dim)?;
        let (network, _) = Network::new(gguf, c, sizes, max_binding_bytes)?;
        let sequence = Memory::new(&network, sizes)?;
        let (states, step) = (sequence.state_list.bytes(), sequence.step_list.bytes());
        Ok(Need {
            sizes,
            bytes: MemoryNeed {
                weights: network.weights.bytes(),
                kv_cache: states,
                activations: network.scratch.bytes() + step,
                largest_buffer: network.largest_buffer.max(sequence.state_list.largest()),
                sequence: states + step,
                position: sequence.states.iter().map(State::bytes_per_position).sum(),
            },
        })
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
        let need = Need::on(gguf, c, options, budget.buffer)?;
        let excess = need.excess(budget);
        let n_ctx = match excess {
            None => need.sizes.n_ctx,
            Some(_) => largest(need.sizes.n_ctx - 1, |n| {
                let options = LoadOptions { context_length: Some(n), ..options.clone() };
                Ok(Need::on(gguf, c, &options, budget.buffer)?.excess(budget).is_none())
            })?,
        };
        Ok(Fit { need, excess, n_ctx: Some(n_ctx).filter(|&n| n > 0) })
    }

    /// Why it does not fit, with the numbers and what would.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let MemoryNeed { weights, kv_cache, activations, .. } = self.need.bytes;
        let would = match self.n_ctx {
            Some(n) => format!("a context_length of {n} fits"),
            None => "no context_length fits".into(),
        };
        self.excess.map(|excess| {
            format!(
                "the model does not fit with a context of {}: {excess} (weights {weights}, KV cache {kv_cache}, \
                 activations {activations}); {would}",
                self.need.sizes.n_ctx
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
