//! A loaded model with its tokenizer: generation, options, prefix reuse, figures.

mod constrained;
mod generation;
mod pool;
mod stop;

pub use generation::{Earlier, FinishReason, GenerateOptions, Generation, Stats};

#[cfg(feature = "constrain")]
use std::cell::OnceCell;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub use constrained::Constraint;
use futures_util::future::try_join;
use pool::Pool;
pub use pool::TextId;

use crate::clock::Clock;
#[cfg(feature = "constrain")]
use crate::constrain::Vocabulary;
use crate::error::{Result, bail};
use crate::gpu::{Gpu, Profile, Readback};
use crate::llm::{Activation, Info, LoadOptions, Model, Opened, Sequence};
use crate::load::LoadEvents;
use crate::ops::N_RECENT;
use crate::ops::self_test;
use crate::source::ByteSource;
use crate::tokenizer::{Prompt, Text};

/// What a file says before its weights, and the milliseconds that it took.
async fn timed<'s, S: ByteSource>(source: &'s S, events: &dyn LoadEvents) -> Result<(Opened<'s, S>, f64)> {
    let started = Clock::start();
    Ok((Opened::read(source, events).await?, started.ms()))
}

/// A model ready to generate. One call at a time runs on it.
pub struct Session {
    pub model: Model,
    pub text: Rc<Text>,
    pub info: Info,
    pool: Pool,
    #[cfg(feature = "constrain")]
    vocabulary: OnceCell<Rc<Vocabulary>>,
    busy: Cell<bool>,
    /// Where sampled ids come back, reused by every generation.
    readbacks: RefCell<Vec<Readback>>,
    stats: Cell<Stats>,
}

impl Session {
    /// Load the model of a file onto the fastest GPU there is.
    ///
    /// # Errors
    /// As [`Session::load_on`] and [`Gpu::new`].
    pub async fn load<S: ByteSource>(source: &S, options: &LoadOptions, events: &dyn LoadEvents) -> Result<Rc<Self>> {
        let gpu = async {
            let started = Clock::start();
            let (gpu, features) = self_test(Gpu::with_profile(options.profile).await?).await?;
            Ok((gpu, features, started.ms()))
        };
        let ((gpu, features, gpu_ms), header) = try_join(gpu, timed(source, events)).await?;
        let mut session = Self::with_header(gpu, header, options, events).await?;
        session.info.gpu.features = features;
        session.info.load_ms.gpu = gpu_ms;
        Ok(Rc::new(session))
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
    ) -> Result<Rc<Self>> {
        Self::with_header(gpu, timed(source, events).await?, options, events).await.map(Rc::new)
    }

    async fn with_header<S: ByteSource>(
        gpu: Gpu,
        (opened, header): (Opened<'_, S>, f64),
        options: &LoadOptions,
        events: &dyn LoadEvents,
    ) -> Result<Self> {
        let Opened { gguf, config, text, source } = opened;
        let (mut model, sequence) = Model::load(gpu, &source, &gguf, config, options, events).await?;
        model.times.header = header;
        let info = Info::new(&gguf, &model, sequence.decode_dispatches(), &text, &source)?;
        let pool = Pool::new(&model, sequence, options.memory_budget);
        Ok(Session {
            model,
            text: Rc::new(text),
            info,
            pool,
            #[cfg(feature = "constrain")]
            vocabulary: OnceCell::new(),
            busy: Cell::new(false),
            readbacks: RefCell::default(),
            stats: Cell::default(),
        })
    }

    /// The ids of a chat's prompt. What the model wrote in an earlier turn of this text stays in the ids that it wrote.
    #[must_use]
    pub fn chat_ids(&self, text: TextId, prompt: &Prompt) -> Vec<u32> {
        self.text.prompt_ids_after(prompt, &self.pool.ids(text))
    }

    /// A text that will not go on: its sequence is free for others.
    pub fn forget(&self, text: TextId) {
        self.pool.forget(&self.model, text);
    }

    /// A text that begins as another is now: its ids; the sequence is computed when it goes on.
    pub fn fork(&self, from: TextId, to: TextId) {
        self.pool.fork(from, to);
    }

    /// Sequences that are on the GPU, each with the cache of a text.
    #[must_use]
    pub fn n_sequences(&self) -> usize {
        self.pool.n_sequences()
    }

    /// Figures of the last generation, so far if it runs.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats.get()
    }

    /// Run the prompt and then `n_decode` greedy steps, and return every named intermediate: of the prefill,
    /// then of each step.
    ///
    /// # Errors
    /// `InvalidState` while another call runs; as [`Sequence::capture`].
    pub async fn capture(self: &Rc<Self>, prompt: &[u32], n_decode: usize) -> Result<Vec<Vec<Activation>>> {
        let turn = Turn::begin(self)?;
        let sequence = turn.empty_sequence().await?;
        let mut steps = vec![sequence.capture(&self.model, prompt, 0, false).await?];
        for i in 0..n_decode {
            let logits = steps.last().and_then(|s| s.last()).map(|a| a.data.as_slice()).unwrap_or_default();
            let best = (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0);
            let pos = (prompt.len() + i) as u32;
            steps.push(sequence.capture(&self.model, &[best as u32], pos, true).await?);
        }
        Ok(steps)
    }

    /// GPU time of a decode step at position `pos`, or of a prefill of `n_tokens`.
    ///
    /// # Errors
    /// `InvalidState` while another call runs; as [`Sequence::profile`].
    pub async fn profile(self: &Rc<Self>, pos: u32, n_tokens: u32) -> Result<Profile> {
        let turn = Turn::begin(self)?;
        let sequence = turn.empty_sequence().await?;
        sequence.profile(&self.model, pos, n_tokens).await
    }

    fn readback(&self) -> Readback {
        self.readbacks.borrow_mut().pop().unwrap_or_else(|| self.model.gpu.readback(u64::from(N_RECENT) * 4))
    }
}

/// A call's turn on the model. It ends when this is dropped.
struct Turn(Rc<Session>);

impl Turn {
    /// # Errors
    /// `InvalidState` while another call runs.
    fn begin(session: &Rc<Session>) -> Result<Self> {
        if session.busy.replace(true) {
            bail!(InvalidState, "the model is busy with another call; await it, or abort it by its signal");
        }
        Ok(Turn(session.clone()))
    }

    /// The sequence of a text.
    ///
    /// # Errors
    /// As [`Pool::sequence`].
    async fn sequence(&self, text: TextId) -> Result<Rc<Sequence>> {
        self.0.pool.sequence(&self.0.model, text).await
    }

    /// The sequence of no chat, empty.
    async fn empty_sequence(&self) -> Result<Rc<Sequence>> {
        let sequence = self.sequence(0).await?;
        self.0.pool.set_ids(0, Vec::new());
        sequence.rewind(&self.0.model.gpu, 0);
        Ok(sequence)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}
