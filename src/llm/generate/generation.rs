//! The generate loop. Steps are pipelined: while the GPU works on the next tokens, earlier ids come back. What
//! ran beyond the end is dropped.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::rc::Rc;

use serde::Deserialize;

use super::constrained::Constraint;
use super::stop::StopStrings;
use super::{Session, TextId, Turn};
use crate::clock::Clock;
use crate::error::{Result, bail};
use crate::gpu::{Pending, Readback};
use crate::llm::{Sampling, Sequence};
use crate::ops::{N_RECENT, NO_ID};
use crate::tokenizer::{DecodeOptions, Detokenizer};

/// How to generate. In JavaScript the options of `sampling` are among the others.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GenerateOptions {
    pub max_tokens: u32,
    #[serde(skip)]
    pub sampling: Sampling,
    /// The text ends before any of these.
    pub stop: Vec<String>,
    /// Give up at the first sign of an end token; off, it is text like any other.
    pub ignore_end: bool,
    /// Control tokens are part of the text, by their names.
    pub show_special: bool,
    #[serde(skip)]
    pub earlier: Earlier,
}

/// What an earlier call wrote at the prompt's end: the text goes on as if that call had not ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earlier {
    /// How many of the last ids of the prompt that call generated.
    pub n_generated: usize,
    /// The end of their text that the caller has not got: see [`Generation::missing`].
    pub missing: String,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        GenerateOptions {
            max_tokens: 512,
            sampling: Sampling::default(),
            stop: Vec::new(),
            ignore_end: false,
            show_special: false,
            earlier: Earlier::default(),
        }
    }
}

impl GenerateOptions {
    /// # Errors
    /// `InvalidArgument` naming the option that is out of range.
    pub fn check(&self) -> Result<()> {
        let s = &self.sampling;
        let check = |name: &str, value: f32, ok: bool, allowed: &str| {
            if !ok {
                bail!(InvalidArgument, "{name} is {value}, {allowed} is allowed");
            }
            Ok(())
        };
        check("max_tokens", self.max_tokens as f32, self.max_tokens > 0, "1 or more")?;
        check("temperature", s.temperature, (0.0..=100.0).contains(&s.temperature), "0 to 100")?;
        check("top_p", s.top_p, s.top_p > 0.0 && s.top_p <= 1.0, "more than 0, up to 1")?;
        check("min_p", s.min_p, (0.0..=1.0).contains(&s.min_p), "0 to 1")?;
        check("repeat_penalty", s.repeat_penalty, s.repeat_penalty > 0.0 && s.repeat_penalty.is_finite(), "more than 0")
    }
}

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model's end token, or the end of the response format.
    End,
    /// A stop string.
    Stop,
    /// `max_tokens`
    Length,
    /// The context is full.
    Context,
}

impl FinishReason {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FinishReason::End => "end",
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::Context => "context",
        }
    }
}

/// Figures of a generation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    pub prompt_tokens: u32,
    /// Of these, the ones that were in the cache already.
    pub reused_tokens: u32,
    pub generated_tokens: u32,
    /// From the call to the first id, in milliseconds.
    pub first_token_ms: f64,
    /// From the first id to the last, in milliseconds.
    pub decode_ms: f64,
    pub finish_reason: Option<FinishReason>,
}

impl Stats {
    /// Generated tokens a second, the first one's wait left out.
    #[must_use]
    pub fn decode_per_second(&self) -> f64 {
        if self.decode_ms > 0.0 {
            f64::from(self.generated_tokens.saturating_sub(1)) * 1e3 / self.decode_ms
        } else {
            0.0
        }
    }

    /// Prompt tokens a second that were run.
    #[must_use]
    pub fn prefill_per_second(&self) -> f64 {
        let n = self.prompt_tokens - self.reused_tokens;
        if self.first_token_ms > 0.0 { f64::from(n) * 1e3 / self.first_token_ms } else { 0.0 }
    }
}

/// What is submitted ahead, in milliseconds: enough to hide the way back to the host, and little to wait for after an abort.
const AHEAD_MS: f64 = 32.0;
/// The same in steps. One runs while the next waits.
const AHEAD_STEPS: RangeInclusive<u32> = 2..=64;
/// What is submitted at a time: a submit costs the browser some 0.1 ms beside its dispatches, and a page draws every 8 ms
/// or less often.
const SUBMIT_MS: f64 = 4.0;
const SUBMIT_STEPS: RangeInclusive<u32> = 1..=8;

/// Steps submitted together.
struct Submitted {
    read: Readback,
    pending: Pending,
    n_steps: u32,
}

/// A generation under way.
pub struct Generation {
    session: Rc<Session>,
    _turn: Turn,
    text: TextId,
    sequence: Rc<Sequence>,
    prompt: Vec<u32>,
    options: GenerateOptions,
    detokenizer: Detokenizer,
    stops: StopStrings,
    constraint: Option<Box<dyn Constraint>>,
    in_flight: VecDeque<Submitted>,
    /// Ids that have come back and are to be handed out.
    ids: VecDeque<u32>,
    /// The next id's place in what is read.
    place: u32,
    /// Steps submitted, the prefill included, and those come back; each samples an id.
    n_submitted: u32,
    n_back: u32,
    generated: Vec<u32>,
    stats: Stats,
    started: Clock,
    first: Option<Clock>,
}

impl Session {
    /// Start to generate after a prompt. What the sequence of the text holds of it is not run again.
    ///
    /// # Errors
    /// `InvalidState` while another call runs; `InvalidArgument`; `ContextOverflow` if the prompt leaves no room.
    pub async fn generate(
        self: &Rc<Self>,
        text: TextId,
        prompt: &[u32],
        options: GenerateOptions,
    ) -> Result<Generation> {
        self.generate_within(text, prompt, options, None).await
    }

    /// The same with tokens that `constraint` allows. A prompt that ends in the beginning of such a text, written by an
    /// earlier call, is gone on with.
    ///
    /// # Errors
    /// As [`Session::generate`]; what the constraint says.
    pub async fn generate_within(
        self: &Rc<Self>,
        text: TextId,
        prompt: &[u32],
        options: GenerateOptions,
        mut constraint: Option<Box<dyn Constraint>>,
    ) -> Result<Generation> {
        options.check()?;
        let turn = Turn::begin(self)?;
        let started = Clock::start();
        if prompt.is_empty() {
            bail!(InvalidArgument, "there is no token to start from");
        }
        self.model.check_room(0, prompt.len())?;
        if let Some(constraint) = &mut constraint {
            let earlier = &prompt[prompt.len().saturating_sub(options.earlier.n_generated)..];
            let bytes: Vec<&[u8]> = earlier.iter().map(|&id| self.text.tokenizer.token_bytes(id)).collect();
            constraint.accept(&bytes.concat())?;
        }
        let sequence = turn.sequence(text).await?;
        let held = self.pool.ids(text);
        let common = held.iter().take(sequence.n_positions()).zip(prompt).take_while(|(a, b)| a == b).count();
        // The last token is run in any case: its logits are wanted.
        let reused = sequence.rewind(&self.model.gpu, common.min(prompt.len() - 1) as u32) as usize;
        let (tokens, sampling) = (&prompt[reused..], &options.sampling);
        let mut in_flight = VecDeque::new();
        let place = if constraint.is_some() {
            sequence.prefill_only(&self.model, tokens, prompt, sampling)?
        } else {
            let read = self.readback();
            let place = sequence.prefill(&self.model, tokens, prompt, sampling, &read)?;
            let pending = self.model.gpu.map(&read);
            in_flight.push_back(Submitted { read, pending, n_steps: 1 });
            place
        };
        let (detokenizer, stops) = self.text_so_far(prompt, &options);
        let stats = Stats { prompt_tokens: prompt.len() as u32, reused_tokens: reused as u32, ..Stats::default() };
        self.stats.set(stats);
        Ok(Generation {
            session: self.clone(),
            _turn: turn,
            text,
            sequence,
            prompt: prompt.to_vec(),
            detokenizer,
            stops,
            options,
            n_submitted: in_flight.len() as u32,
            constraint,
            in_flight,
            ids: VecDeque::new(),
            place,
            n_back: 0,
            generated: Vec::new(),
            stats,
            started,
            first: None,
        })
    }
}

/// Ids that reach back to the beginning of a character: one of four bytes, and control tokens within it.
const CHARACTER_IDS: usize = 16;

impl Session {
    /// What turns ids to text, in the middle of the character and of the stop string that the prompt ends in.
    fn text_so_far(&self, prompt: &[u32], options: &GenerateOptions) -> (Detokenizer, StopStrings) {
        let decode = DecodeOptions { show_special: options.show_special, continues: !prompt.is_empty() };
        let mut detokenizer = Detokenizer::new(decode);
        let tokenizer = &self.text.tokenizer;
        let (before, generated) = prompt.split_at(prompt.len().saturating_sub(options.earlier.n_generated));
        for &id in &before[before.len().saturating_sub(CHARACTER_IDS)..] {
            detokenizer.push(tokenizer, id);
        }
        let pieces = generated.iter().map(|&id| detokenizer.push(tokenizer, id));
        let stops = StopStrings::after(&options.stop, pieces, &options.earlier.missing);
        (detokenizer, stops)
    }
}

impl Generation {
    /// The next piece of text, which may be empty where a token makes no whole character; `None` at the end.
    ///
    /// # Errors
    /// `DeviceLost` and whatever else the GPU reports.
    pub async fn next(&mut self) -> Result<Option<String>> {
        let piece = self.step().await;
        self.session.stats.set(self.stats);
        piece
    }

    async fn step(&mut self) -> Result<Option<String>> {
        if self.stats.finish_reason.is_some() {
            return Ok(None);
        }
        if self.constraint.is_some() {
            self.fill_constrained()?;
        } else {
            self.fill();
        }
        if self.ids.is_empty() {
            self.receive().await?;
        }
        let Some(id) = self.ids.pop_front() else {
            return Ok(self.finish(FinishReason::Context));
        };
        let first = *self.first.get_or_insert_with(Clock::start);
        self.stats.decode_ms = first.ms();
        self.stats.first_token_ms = self.started.ms() - self.stats.decode_ms;

        if id == NO_ID {
            let n = self.stats.prompt_tokens + self.stats.generated_tokens;
            bail!(
                NotFinite,
                "after {n} tokens the model computed NaN or an infinity in place of scores: weights of the file are \
                 broken, or too large for a KV cache of {}",
                self.session.model.need.sizes.kv_type.name()
            );
        }
        let tokenizer = &self.session.text.tokenizer;
        if tokenizer.is_end_of_generation(id) && !self.options.ignore_end {
            return Ok(self.finish(FinishReason::End));
        }
        let mut is_over = false;
        if let Some(constraint) = &mut self.constraint {
            if !constraint.accept(tokenizer.token_bytes(id))? {
                bail!(Internal, "token {id} was sampled, which the response format does not allow");
            }
            is_over = constraint.is_over()?;
        }
        self.generated.push(id);
        self.stats.generated_tokens += 1;
        let (mut text, stopped) = self.stops.push(&self.detokenizer.push(tokenizer, id));
        if stopped {
            self.conclude(FinishReason::Stop);
        } else if is_over {
            text.push_str(&self.finish(FinishReason::End).unwrap_or_default());
        } else if self.stats.generated_tokens == self.options.max_tokens {
            text.push_str(&self.finish(FinishReason::Length).unwrap_or_default());
        }
        Ok(Some(text))
    }

    /// The ids so far, an end token left out.
    #[must_use]
    pub fn generated(&self) -> &[u32] {
        &self.generated
    }

    /// Text of the ids so far that was not handed out, since a stop string may have begun in it: nothing at the end.
    #[must_use]
    pub fn missing(&self) -> &str {
        self.stops.missing()
    }

    /// The ids of what was submitted first, if anything was.
    async fn receive(&mut self) -> Result<()> {
        let Some(Submitted { read, pending, n_steps }) = self.in_flight.pop_front() else { return Ok(()) };
        let gpu = &self.session.model.gpu;
        let (ids, place) = (&mut self.ids, self.place);
        gpu.read_with(&read, pending, |bytes| {
            let ring: &[[u8; 4]] = bytemuck::cast_slice(bytes);
            ids.extend((place..place + n_steps).map(|i| u32::from_le_bytes(ring[(i % N_RECENT) as usize])));
        })
        .await?;
        self.session.readbacks.borrow_mut().push(read);
        self.place += n_steps;
        self.n_back += n_steps;
        Ok(())
    }

    /// How many steps take so long, by those so far; the fewest of the range until two ids have come.
    fn steps_in(&self, ms: f64, range: RangeInclusive<u32>) -> u32 {
        let (fewest, most) = range.into_inner();
        let n = self.stats.generated_tokens.saturating_sub(1);
        if n == 0 { fewest } else { ((ms * f64::from(n) / self.stats.decode_ms) as u32).clamp(fewest, most) }
    }

    /// Submit steps until enough are in flight or no more are wanted.
    fn fill(&mut self) {
        let model = &self.session.model;
        let last = self.last();
        let ahead = self.steps_in(AHEAD_MS, AHEAD_STEPS);
        let at_once = self.steps_in(SUBMIT_MS, SUBMIT_STEPS);
        while self.n_submitted < last {
            // Less than what is submitted at a time waits for more room, unless it is the rest.
            let n_steps = at_once.min(last - self.n_submitted);
            if self.n_submitted + n_steps > self.n_back + ahead {
                return;
            }
            let read = self.session.readback();
            let n_kept = self.stats.prompt_tokens + self.stats.generated_tokens;
            self.sequence.decode(model, n_steps, n_kept, &self.options.sampling, &read);
            let pending = model.gpu.map(&read);
            self.in_flight.push_back(Submitted { read, pending, n_steps });
            self.n_submitted += n_steps;
        }
    }

    /// Sample a token of those that may come next, and run it at once: only the next sampling waits for the id.
    fn fill_constrained(&mut self) -> Result<()> {
        let model = &self.session.model;
        let last = self.last();
        let Some(constraint) = self.constraint.as_mut().filter(|_| self.n_submitted == self.n_back) else {
            return Ok(());
        };
        if self.n_submitted == last {
            return Ok(());
        }
        let read = self.session.readback();
        self.sequence.choose(model, &constraint.allowed()?, &self.options.sampling, &read)?;
        let pending = model.gpu.map(&read);
        self.in_flight.push_back(Submitted { read, pending, n_steps: 1 });
        self.n_submitted += 1;
        if self.n_submitted < last {
            self.sequence.forward(model, self.stats.prompt_tokens + self.stats.generated_tokens);
        }
        Ok(())
    }

    /// How many ids are wanted at most.
    fn last(&self) -> u32 {
        self.options.max_tokens.min(self.session.model.n_ctx() + 1 - self.stats.prompt_tokens)
    }

    /// The rest of the text.
    fn finish(&mut self, reason: FinishReason) -> Option<String> {
        self.conclude(reason);
        let (mut text, stopped) = self.stops.push(&self.detokenizer.finish());
        if !stopped {
            text.push_str(&self.stops.finish());
        }
        if text.is_empty() { None } else { Some(text) }
    }

    fn conclude(&mut self, reason: FinishReason) {
        self.stats.finish_reason = Some(reason);
    }
}

impl Drop for Generation {
    /// Also if the caller stops early: what was submitted beyond the end is cut off when the text goes on.
    fn drop(&mut self) {
        let ids = [self.prompt.as_slice(), &self.generated].concat();
        self.session.pool.set_ids(self.text, ids);
    }
}
