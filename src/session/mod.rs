//! A loaded model with its tokenizer: generation, options, prefix reuse, figures.

mod generate;
mod info;
mod opened;
mod stop;

pub use generate::{Earlier, FinishReason, GenerateOptions, Generation, Stats};
pub use info::{GpuInfo, Info, MemoryInfo, types};
pub use opened::Opened;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::try_join;
use web_time::Instant;

use crate::error::{Result, bail};
use crate::gpu::{Gpu, N_RECENT, Profile, Readback};
use crate::model::{Activation, LoadEvents, LoadOptions, Model, ms};
use crate::ops::self_test;
use crate::source::ByteSource;
use crate::tokenizer::Text;
use crate::tokenizer::chat::Prompt;

/// What the KV cache holds.
#[derive(Debug, Default)]
struct Cached {
    /// Tokens whose keys and values were put into it. Of the first ones, layers with a sliding window may hold no more.
    ids: Vec<u32>,
    /// What the last generation wrote after these: its last token is not run.
    written: Vec<u32>,
    /// Positions ever written since it was begun anew: more than `ids` where steps ran beyond the end.
    n_written: u32,
}

/// What a file says before its weights, and the milliseconds that it took.
async fn timed<'s, S: ByteSource>(source: &'s S, events: &dyn LoadEvents) -> Result<(Opened<'s, S>, f64)> {
    let started = Instant::now();
    Ok((Opened::read(source, events).await?, ms(started)))
}

/// A model ready to generate. One call at a time runs on it.
pub struct Session {
    pub model: Model,
    pub text: Rc<Text>,
    pub info: Info,
    cached: RefCell<Cached>,
    busy: Cell<bool>,
    /// Where sampled ids come back, reused by every generation.
    readbacks: RefCell<Vec<Readback>>,
    stats: RefCell<Stats>,
}

impl Session {
    /// Load the model of a file onto the fastest GPU there is.
    ///
    /// # Errors
    /// As [`Session::load_on`] and [`Gpu::new`].
    pub async fn load<S: ByteSource>(source: &S, options: &LoadOptions, events: &dyn LoadEvents) -> Result<Self> {
        let gpu = async {
            let started = Instant::now();
            let (gpu, features) = self_test(Gpu::with_profile(options.profile).await?).await?;
            Ok((gpu, features, ms(started)))
        };
        let ((gpu, features, gpu_ms), header) = try_join(gpu, timed(source, events)).await?;
        let mut session = Self::with_header(gpu, header, options, events).await?;
        session.info.gpu.features = features;
        session.info.load_ms.gpu = gpu_ms;
        Ok(session)
    }

    /// Load the model of a file onto `gpu`. What cannot run fails before weights are fetched.
    ///
    /// # Errors
    /// As [`Opened::read`] and [`Model::load`].
    pub async fn load_on<S: ByteSource>(
        gpu: Gpu,
        source: &S,
        options: &LoadOptions,
        events: &dyn LoadEvents,
    ) -> Result<Self> {
        Self::with_header(gpu, timed(source, events).await?, options, events).await
    }

    async fn with_header<S: ByteSource>(
        gpu: Gpu,
        (opened, header): (Opened<'_, S>, f64),
        options: &LoadOptions,
        events: &dyn LoadEvents,
    ) -> Result<Self> {
        let Opened { gguf, config, text, source } = opened;
        let mut model = Model::load(gpu, &source, &gguf, config, options, events).await?;
        model.times.header = header;
        let info = Info::new(&gguf, &model, &text, &source)?;
        Ok(Session {
            model,
            text: Rc::new(text),
            info,
            cached: RefCell::default(),
            busy: Cell::new(false),
            readbacks: RefCell::default(),
            stats: RefCell::default(),
        })
    }

    /// The ids of a chat's prompt. What the model wrote in an earlier turn stays in the ids that it wrote.
    #[must_use]
    pub fn chat_ids(&self, prompt: &Prompt) -> Vec<u32> {
        let cached = self.cached.borrow();
        self.text.prompt_ids_after(prompt, &[cached.ids.as_slice(), &cached.written].concat())
    }

    /// Figures of the last generation.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats.borrow().clone()
    }

    /// Run the prompt and then `n_decode` greedy steps, and return every named intermediate: of the prefill,
    /// then of each step.
    ///
    /// # Errors
    /// `InvalidState` while another call runs; as [`Model::capture`].
    pub async fn capture(&self, prompt: &[u32], n_decode: usize) -> Result<Vec<Vec<Activation>>> {
        let _busy = self.begin()?;
        self.cached.take();
        let mut steps = vec![self.model.capture(prompt, 0, false).await?];
        for i in 0..n_decode {
            let logits = steps.last().and_then(|s| s.last()).map(|a| a.data.as_slice()).unwrap_or_default();
            let best = (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0);
            let pos = (prompt.len() + i) as u32;
            steps.push(self.model.capture(&[best as u32], pos, true).await?);
        }
        Ok(steps)
    }

    /// GPU time of a decode step at position `pos`, or of a prefill of `n_tokens`.
    ///
    /// # Errors
    /// `InvalidState` while another call runs; as [`Model::profile`].
    pub async fn profile(&self, pos: u32, n_tokens: u32) -> Result<Profile> {
        let _busy = self.begin()?;
        self.cached.take();
        self.model.profile(pos, n_tokens).await
    }

    fn readback(&self) -> Readback {
        self.readbacks.borrow_mut().pop().unwrap_or_else(|| self.model.gpu.readback(u64::from(N_RECENT) * 4))
    }

    /// Claim the model for a call.
    fn begin(&self) -> Result<Busy<'_>> {
        if self.busy.replace(true) {
            bail!(InvalidState, "the model is busy with another call; await it, or abort it by its signal");
        }
        Ok(Busy(&self.busy))
    }
}

/// Frees the model when the call ends, however it ends.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
