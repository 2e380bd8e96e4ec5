//! A model on the GPU: weights, and what its sequences share.

use futures_util::future::try_join;

use super::config::ModelConfig;
use super::need::{Budget, Fit, Need};
use super::network::Network;
use super::options::{LoadOptions, LoadTimes};
use super::rope;
use super::sequence::Sequence;
use crate::clock::Clock;
use crate::error::{Result, bail};
use crate::formats::gguf::Gguf;
use crate::gpu::Gpu;
use crate::load::{LoadEvents, LoadProgress, Tally, load_bytes, stream_weights};
use crate::ops::KvType;
use crate::source::ByteSource;

/// A model on the GPU. Its sequences take turns.
pub struct Model {
    pub gpu: Gpu,
    pub config: ModelConfig,
    pub need: Need,
    pub times: LoadTimes,
    pub(super) network: Network,
}

impl Model {
    /// Load the model of a file whose header is read, with a first sequence.
    ///
    /// # Errors
    /// `OutOfGpuMemory` with numbers if it does not fit; as [`crate::load::read_header`] and [`Network::new`].
    pub async fn load<S: ByteSource>(
        gpu: Gpu,
        source: &S,
        gguf: &Gguf,
        config: ModelConfig,
        options: &LoadOptions,
        events: &dyn LoadEvents,
    ) -> Result<(Self, Sequence)> {
        let started = Clock::start();
        let budget = Budget { total: options.memory_budget, buffer: gpu.caps.max_binding_bytes };
        let kv_type = options.kv_type.unwrap_or(KvType::default_on(&gpu));
        let options = &LoadOptions { kv_type: Some(kv_type), ..options.clone() };
        let fit = Fit::of(gguf, &config, options, &budget)?;
        fit.check()?;
        let need = fit.need;
        let (network, loads) = Network::new(gguf, &config, need.sizes, budget.buffer)?;
        let mut model = Model { gpu, config, need, times: LoadTimes::default(), network };
        let allocated = model.gpu.allocating("the model", || {
            model.network.weights.allocate(&model.gpu);
            model.network.scratch.allocate(&model.gpu);
            Ok(())
        });
        // In this order, but the GPU is asked once.
        let ((), sequence) = try_join(allocated, Sequence::new(&model)).await?;
        events.check()?;
        let mut times = LoadTimes { plans: started.ms(), ..LoadTimes::default() };
        // Pipelines compile while weights download.
        let recorded = Clock::start();
        let tally = Tally::new(events, load_bytes(&loads)?);
        tally.begin();
        // Neither waits for the other to end if one fails.
        (times.weights, times.compile) = try_join(
            async {
                stream_weights(&model.gpu, source, &loads, &tally).await?;
                Ok(recorded.ms())
            },
            async {
                model.gpu.compile(|done, all| tally.set_kernels(done, all)).await?;
                Ok(recorded.ms())
            },
        )
        .await?;
        let Network { ropes, rope_factors, .. } = &model.network;
        rope::write_tables(&model.gpu, &model.config, ropes, rope_factors.as_ref(), need.sizes.n_ctx)?;
        model.gpu.finish(true).await?;
        events.progress(LoadProgress::ready(need.bytes.weights));
        model.times = times;
        Ok((model, sequence))
    }

    /// Positions that a sequence holds.
    #[must_use]
    pub fn n_ctx(&self) -> u32 {
        self.need.sizes.n_ctx
    }

    /// # Errors
    /// `ContextOverflow` if `n` tokens from position `pos` on do not fit a sequence.
    pub fn check_room(&self, pos: u32, n: usize) -> Result<()> {
        if n > self.n_ctx().saturating_sub(pos) as usize {
            bail!(ContextOverflow, "{n} tokens after {pos} do not fit the context of {}", self.n_ctx());
        }
        Ok(())
    }

    /// The logits of the last step of any sequence, `(V)`.
    ///
    /// # Errors
    /// As [`Gpu::read`].
    pub async fn logits(&self) -> Result<Vec<f32>> {
        self.gpu.read(&self.network.logits.buffer, self.config.n_vocab as usize).await
    }

    /// FNV-1a (draft-eastlake-fnv) of the words of all weights, 64 bits: that a load brought every byte, and brought it
    /// right. For tests: every buffer comes back to the host.
    ///
    /// # Errors
    /// As [`Gpu::read`].
    pub async fn weights_checksum(&self) -> Result<u64> {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for buffer in self.network.weights.buffers() {
            for word in self.gpu.read::<u32>(&buffer, buffer.bytes() as usize / 4).await? {
                hash = (hash ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Ok(hash)
    }
}
