//! An encoder on the GPU, and texts through it, batch by batch.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use futures_util::future::try_join;
use serde::Serialize;

use super::capture::{Capture, Captured};
use super::config::EncoderConfig;
use super::network::{Activations, record};
use super::prefix::Prefix;
use super::texts::{Encoding, check_empty};
use super::vectors::{Vectors, push_row};
use super::weights::Weights;
use crate::clock::Clock;
use crate::error::{Result, bail};
use crate::gpu::{CopyOut, Gpu, Ledger, Pending, Plan, Profile, Readback};
use crate::load::{LoadEvents, LoadProgress, Tally, load_bytes, read_header, stream_weights};
use crate::ops::{Packed, Phase, Recorder};
use crate::source::ByteSource;
use crate::tokenizer::Tokenizer;

/// Rows of a batch at most, if a single text has no more: they keep a large GPU busy.
const MAX_ROWS: u32 = 4096;
/// Rows of a batch where it is not known how fast the GPU is, and at least.
const FEW_ROWS: u32 = 512;
/// How long a batch should take: pages hear of each, and each can be the last.
const BATCH_MS: f64 = 50.0;
/// Floating-point operations of a submit, about. Systems end what keeps a GPU for seconds, and a slow one makes 1e11 a second.
const SUBMIT_FLOPS: f64 = 2e10;
/// Batches that are submitted before the first of them is read back.
const IN_FLIGHT: usize = 2;

/// How texts become vectors.
#[derive(Debug, Clone)]
pub struct EmbedOptions {
    /// The first elements of each vector alone; `None` is all. For models that were trained for it.
    pub dimensions: Option<u32>,
    /// Whether vectors have length 1.
    pub normalize: bool,
    /// What comes before each text: many models want their task there.
    pub prefix: Prefix,
    /// Whether texts that are too long are cut, instead of being an error.
    pub truncate: bool,
}

impl Default for EmbedOptions {
    fn default() -> Self {
        EmbedOptions { dimensions: None, normalize: true, prefix: Prefix::None, truncate: false }
    }
}

/// Hears how far a call is, and can end it.
pub trait EmbedEvents {
    /// `done` of `total` texts have their vectors.
    fn progress(&self, _done: usize, _total: usize) {}

    /// # Errors
    /// `Aborted` where the caller wants no more.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

impl EmbedEvents for () {}

/// An encoder, described.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// `general.name`, where the file has one.
    pub name: Option<String>,
    pub architecture: String,
    pub parameters: u64,
    pub layers: u32,
    /// Elements of a vector.
    pub dimensions: u32,
    /// The most tokens that a text can have.
    pub context_length: u32,
    pub vocabulary_size: u32,
    /// `mean`, `cls` or `last`
    pub pooling: &'static str,
    pub memory: Memory,
    pub gpu: GpuInfo,
    /// Of a batch, whatever its texts.
    pub dispatches: usize,
    pub load_ms: f64,
    pub warnings: Vec<String>,
}

/// GPU memory in bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Memory {
    pub weights: u64,
    pub activations: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct GpuInfo {
    pub adapter: String,
    pub backend: &'static str,
}

/// An encoder on the GPU. One call at a time.
pub struct Embedder {
    pub gpu: Gpu,
    pub config: EncoderConfig,
    pub tokenizer: Tokenizer,
    pub info: Info,
    weights: Weights,
    activations: Activations,
    packed: Packed,
    /// One a layer.
    plans: Vec<Plan>,
    /// Those that no batch has now.
    readbacks: RefCell<Vec<Readback>>,
    /// Rows of a millisecond, as the last batches went.
    rate: Cell<Option<f64>>,
    busy: Cell<bool>,
}

/// A call under way.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A batch that the GPU works on.
struct InFlight {
    n_texts: usize,
    n_rows: u32,
    submitted_ms: f64,
    readback: Readback,
    pending: Pending,
}

impl Embedder {
    /// Load the encoder of a file onto the fastest GPU there is. A text has up to `context_length` tokens; `None` is as many as the model
    /// knows.
    ///
    /// # Errors
    /// As [`Embedder::load_on`] and [`Gpu::new`].
    pub async fn load<S: ByteSource>(source: &S, context_length: Option<u32>, events: &dyn LoadEvents) -> Result<Self> {
        Self::load_on(Gpu::new().await?, source, context_length, events).await
    }

    /// Load the encoder of a file onto `gpu`. What cannot run fails before weights are fetched.
    ///
    /// # Errors
    /// `InvalidArgument` where the model has no such context; `OutOfGpuMemory` where it does not fit; as [`read_header`],
    /// [`EncoderConfig::of`], [`Tokenizer::from_gguf`] and [`Weights::of`].
    pub async fn load_on<S: ByteSource>(
        gpu: Gpu,
        source: &S,
        context_length: Option<u32>,
        events: &dyn LoadEvents,
    ) -> Result<Self> {
        let started = Clock::start();
        let (gguf, source) = read_header(source, events).await?;
        let config = EncoderConfig::of(&gguf)?;
        let tokenizer = Tokenizer::from_gguf(&gguf.metadata)?;
        // A row is a workgroup of some kernels.
        let most = config.n_ctx.min(gpu.caps.max_workgroups);
        let n_ctx = match context_length {
            Some(n) if n < 4 || n > most => {
                bail!(InvalidArgument, "context_length is {n}, 4 to {most} is allowed for this model")
            }
            Some(n) => n,
            None => most,
        };
        let weight_list = Ledger::new(gpu.caps.max_binding_bytes);
        let (weights, loads) = Weights::of(&gguf, &config, tokenizer.n_vocab(), &weight_list)?;
        let activation_list = Ledger::new(gpu.caps.max_binding_bytes);
        let packed = Packed::new(&activation_list, MAX_ROWS.max(n_ctx))?;
        let activations = Activations::new(&activation_list, &config, packed.max_rows)?;
        let largest = weight_list.largest().max(activation_list.largest());
        if largest > gpu.caps.max_binding_bytes {
            bail!(
                OutOfGpuMemory,
                "a buffer of {largest} bytes is needed, this device allows {}; a smaller context_length needs less",
                gpu.caps.max_binding_bytes
            );
        }
        let allocate = || {
            weight_list.allocate(&gpu);
            activation_list.allocate(&gpu);
            Ok(())
        };
        gpu.allocating("the model", allocate).await?;
        events.check()?;
        let mut r = Recorder::new(&gpu, &packed.batch, Phase::Prefill);
        let plans = record(&mut r, &config, &weights, &packed, &activations)?;
        let tally = Tally::new(events, load_bytes(&loads)?);
        tally.begin();
        // Neither waits for the other to end if one fails.
        let compile = gpu.compile(|done, all| tally.set_kernels(done, all));
        try_join(stream_weights(&gpu, &source, &loads, &tally), compile).await?;
        gpu.finish(true).await?;
        events.progress(LoadProgress::ready(weight_list.bytes()));
        let info = Info {
            name: gguf.metadata.description("general.name").map(|name| name.into_owned()),
            architecture: config.arch.clone(),
            parameters: gguf.n_params(),
            layers: config.n_layer,
            dimensions: config.n_embd,
            context_length: n_ctx,
            vocabulary_size: tokenizer.n_vocab(),
            pooling: config.pooling.name(),
            memory: Memory { weights: weight_list.bytes(), activations: activation_list.bytes() },
            gpu: GpuInfo { adapter: gpu.caps.adapter.clone(), backend: gpu.caps.backend },
            dispatches: plans.iter().map(Plan::n_dispatches).sum(),
            load_ms: started.ms(),
            warnings: config.warnings.iter().chain(tokenizer.warnings()).cloned().collect(),
        };
        Ok(Embedder {
            gpu,
            config,
            tokenizer,
            info,
            weights,
            activations,
            packed,
            plans,
            readbacks: RefCell::default(),
            rate: Cell::new(None),
            busy: Cell::new(false),
        })
    }

    /// A vector of each text. It does not depend on the other texts, not in one bit.
    ///
    /// # Errors
    /// `InvalidArgument` where a text is empty, or the model has fewer dimensions; `ContextOverflow` where a text is too long and
    /// may not be cut; `InvalidState` during another call; `NotFinite`; what the GPU or `events` report. There are no vectors then.
    pub async fn embed<T: AsRef<str>>(
        &self,
        texts: &[T],
        options: &EmbedOptions,
        events: &dyn EmbedEvents,
    ) -> Result<Vectors> {
        let _busy = self.begin()?;
        let dimensions = self.dimensions(options)?;
        check_empty(texts)?;
        let prefix = options.prefix.text(self.info.name.as_deref())?;
        let encoding = Encoding::new(&self.tokenizer, prefix, self.info.context_length, options.truncate);
        let mut vectors = Vectors { data: Vec::new(), dimensions, n_tokens: 0 };
        let mut under_way: VecDeque<InFlight> = VecDeque::new();
        let (mut next, mut done) = (0, 0);
        // A text that was too much for the batch before.
        let mut left: Option<Vec<u32>> = None;
        let clock = Clock::start();
        let mut answered_ms = 0.0;
        while next < texts.len() || !under_way.is_empty() {
            events.check()?;
            if next < texts.len() && under_way.len() < IN_FLIGHT {
                let mut batch = Vec::new();
                let mut n_rows = 0;
                while next < texts.len() {
                    let ids = match left.take() {
                        Some(ids) => ids,
                        None => encoding.ids(next, texts[next].as_ref())?,
                    };
                    let rows = Packed::rows_of(ids.len());
                    if n_rows > 0 && n_rows + rows > self.rows_of_batch() {
                        left = Some(ids);
                        break;
                    }
                    n_rows += rows;
                    vectors.n_tokens += ids.len();
                    batch.push(ids);
                    next += 1;
                }
                under_way.push_back(self.submit(&batch, clock.ms())?);
                // Nothing is known of this GPU until the first batch is back.
                if self.rate.get().is_some() {
                    continue;
                }
            }
            let Some(InFlight { n_texts, n_rows, submitted_ms, readback, pending }) = under_way.pop_front() else {
                break;
            };
            let row = self.activations.pooled.stride() as usize;
            let push = |bytes: &[u8]| -> Result<()> {
                let floats =
                    |bytes: &[u8]| bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>();
                bytes
                    .chunks_exact(row * 4)
                    .take(n_texts)
                    .try_for_each(|row| push_row(&mut vectors.data, &floats(row), dimensions, options.normalize))
            };
            self.gpu.read_with(&readback, pending, push).await??;
            self.readbacks.borrow_mut().push(readback);
            let ms = (clock.ms() - submitted_ms.max(answered_ms)).max(0.1);
            self.rate.set(Some(f64::from(n_rows) / ms));
            answered_ms = clock.ms();
            done += n_texts;
            events.progress(done, texts.len());
        }
        Ok(vectors)
    }

    /// The number of tokens of a text, with its prefix and special tokens.
    ///
    /// # Errors
    /// `InvalidArgument` as for [`Embedder::embed`].
    pub fn count(&self, text: &str, prefix: &Prefix) -> Result<usize> {
        let prefix = prefix.text(self.info.name.as_deref())?;
        Ok(Encoding::new(&self.tokenizer, prefix, u32::MAX, false).ids(0, text)?.len())
    }

    fn begin(&self) -> Result<Busy<'_>> {
        match self.busy.replace(true) {
            false => Ok(Busy(&self.busy)),
            true => bail!(InvalidState, "other texts are being embedded"),
        }
    }

    fn dimensions(&self, options: &EmbedOptions) -> Result<usize> {
        match options.dimensions {
            Some(n) if n == 0 || n > self.config.n_embd => {
                bail!(InvalidArgument, "dimensions is {n}, 1 to {} is allowed for this model", self.config.n_embd)
            }
            n => Ok(n.unwrap_or(self.config.n_embd) as usize),
        }
    }

    /// Rows of the next batch, about, if it has more than one text.
    fn rows_of_batch(&self) -> usize {
        let rows = self.rate.get().map_or(0.0, |rate| rate * BATCH_MS);
        rows.clamp(FEW_ROWS.into(), MAX_ROWS.into()) as usize
    }

    fn submit(&self, texts: &[Vec<u32>], now_ms: f64) -> Result<InFlight> {
        let n_rows = self.packed.set(&self.gpu, texts, self.config.pooling)?;
        if f64::from(n_rows) * self.config.flops() > SUBMIT_FLOPS {
            self.plans.iter().for_each(|plan| self.gpu.submit([plan], n_rows, None));
        } else {
            self.gpu.submit(&self.plans, n_rows, None);
        }
        let pooled = &self.activations.pooled;
        let readback = self.readbacks.borrow_mut().pop().unwrap_or_else(|| self.gpu.readback(pooled.buffer.bytes()));
        let bytes = 0..texts.len() as u64 * u64::from(pooled.stride()) * 4;
        self.gpu.submit([], n_rows, Some(CopyOut { from: &pooled.buffer, bytes, to: &readback }));
        let pending = self.gpu.map(&readback);
        Ok(InFlight { n_texts: texts.len(), n_rows, submitted_ms: now_ms, readback, pending })
    }

    /// What a batch of texts costs on the GPU.
    ///
    /// # Errors
    /// `Internal` where they are more than a batch; as [`Gpu::profile`] and [`Embedder::embed`].
    pub async fn profile<T: AsRef<str>>(&self, texts: &[T]) -> Result<Profile> {
        let _busy = self.begin()?;
        let encoding = Encoding::new(&self.tokenizer, "", self.info.context_length, false);
        let ids = texts.iter().enumerate().map(|(i, text)| encoding.ids(i, text.as_ref()));
        let n_rows = self.packed.set(&self.gpu, &ids.collect::<Result<Vec<_>>>()?, self.config.pooling)?;
        self.gpu.profile(&self.plans.iter().collect::<Vec<_>>(), n_rows, || {}).await
    }

    /// What the ops read and write for a batch of texts, the ids of each: for tests.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    pub async fn capture(&self, texts: &[Vec<u32>]) -> Result<Vec<Captured>> {
        let _busy = self.begin()?;
        let mut capture = Capture { gpu: &self.gpu, captured: Vec::new() };
        let mut r = Recorder::observed_by(&self.gpu, &self.packed.batch, Phase::Prefill, &mut capture);
        let plans = record(&mut r, &self.config, &self.weights, &self.packed, &self.activations)?;
        let n_rows = self.packed.set(&self.gpu, texts, self.config.pooling)?;
        self.gpu.submit(&plans, n_rows, None);
        self.gpu.finish(true).await?;
        Ok(capture.captured)
    }
}
