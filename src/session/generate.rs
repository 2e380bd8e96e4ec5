//! The generate loop. Steps are pipelined: while the GPU works on the next tokens, earlier ids come back. What
//! ran beyond the end is dropped.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::rc::Rc;

use web_time::Instant;

use super::Session;
use super::stop::StopStrings;
use crate::error::{Result, bail};
use crate::gpu::{N_RECENT, NO_ID, Pending, Readback};
use crate::model::Sampling;
use crate::tokenizer::{DecodeOptions, Detokenizer};

/// How to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    pub max_tokens: u32,
    pub sampling: Sampling,
    /// The text ends before any of these.
    pub stop: Vec<String>,
    /// Give up at the first sign of an end token; off, it is text like any other.
    pub ignore_end: bool,
    /// Control tokens are part of the text, by their names.
    pub show_special: bool,
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
    /// llama.cpp's sampling defaults.
    fn default() -> Self {
        GenerateOptions {
            max_tokens: 512,
            sampling: Sampling { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05, repeat_penalty: 1.0, seed: 0 },
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
        check("maxTokens", self.max_tokens as f32, self.max_tokens > 0, "1 or more")?;
        check("temperature", s.temperature, (0.0..=100.0).contains(&s.temperature), "0 to 100")?;
        check("topP", s.top_p, s.top_p > 0.0 && s.top_p <= 1.0, "more than 0, up to 1")?;
        check("minP", s.min_p, (0.0..=1.0).contains(&s.min_p), "0 to 1")?;
        check("repeatPenalty", s.repeat_penalty, s.repeat_penalty > 0.0 && s.repeat_penalty.is_finite(), "more than 0")
    }
}

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model's end token.
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
#[derive(Debug, Clone, Default, PartialEq)]
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
    options: GenerateOptions,
    detokenizer: Detokenizer,
    stops: StopStrings,
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
    started: Instant,
    first: Option<Instant>,
}

impl Session {
    /// Start to generate after a prompt. What of it the cache holds already is not run again.
    ///
    /// # Errors
    /// `InvalidState` while another call runs; `InvalidArgument`; `ContextOverflow` where the prompt leaves no
    /// room.
    pub fn generate(self: &Rc<Self>, prompt: &[u32], options: GenerateOptions) -> Result<Generation> {
        options.check()?;
        let busy = self.begin()?;
        let started = Instant::now();
        let mut cached = self.cached.borrow_mut();
        let common = cached.ids.iter().zip(prompt).take_while(|(a, b)| a == b).count();
        // The last token is run in any case: its logits are wanted.
        let common = common.min(prompt.len().saturating_sub(1));
        let reused = if self.model.can_resume(common as u32, cached.n_written) { common } else { 0 };
        let read = self.readback();
        self.model.check_room(0, prompt.len())?;
        cached.ids.truncate(reused);
        cached.written.clear();
        let before = if reused == 0 { 0 } else { cached.n_written };
        cached.n_written = before.max(prompt.len() as u32);
        let place = self.model.prefill(&prompt[reused..], reused as u32, prompt, &options.sampling, &read)?;
        cached.ids.extend_from_slice(&prompt[reused..]);
        let pending = self.model.gpu.map(&read);
        // From here on the generation frees the model when it is dropped.
        std::mem::forget(busy);
        let (detokenizer, stops) = self.text_so_far(prompt, &options);
        Ok(Generation {
            session: self.clone(),
            detokenizer,
            stops,
            options,
            in_flight: VecDeque::from([Submitted { read, pending, n_steps: 1 }]),
            ids: VecDeque::new(),
            place,
            n_submitted: 1,
            n_back: 0,
            generated: Vec::new(),
            stats: Stats { prompt_tokens: prompt.len() as u32, reused_tokens: reused as u32, ..Stats::default() },
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
        if self.stats.finish_reason.is_some() {
            return Ok(None);
        }
        self.fill();
        if self.ids.is_empty() {
            self.receive().await?;
        }
        let Some(id) = self.ids.pop_front() else {
            return Ok(self.finish(FinishReason::Context));
        };
        let first = *self.first.get_or_insert_with(Instant::now);
        self.stats.first_token_ms = (first - self.started).as_secs_f64() * 1e3;
        self.stats.decode_ms = first.elapsed().as_secs_f64() * 1e3;

        if id == NO_ID {
            let n = self.stats.prompt_tokens + self.stats.generated_tokens;
            bail!(
                NotFinite,
                "after {n} tokens the model computed NaN or an infinity in place of scores: weights of the file are \
                 broken, or too large for kvCache '{}'",
                self.session.model.kv_type.name()
            );
        }
        let tokenizer = &self.session.text.tokenizer;
        if tokenizer.is_end_of_generation(id) && !self.options.ignore_end {
            return Ok(self.finish(FinishReason::End));
        }
        self.generated.push(id);
        self.stats.generated_tokens += 1;
        let (mut text, stopped) = self.stops.push(&self.detokenizer.push(tokenizer, id));
        if stopped {
            self.conclude(FinishReason::Stop);
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
        let last = self.options.max_tokens.min(model.n_ctx + 1 - self.stats.prompt_tokens);
        let ahead = self.steps_in(AHEAD_MS, AHEAD_STEPS);
        let at_once = self.steps_in(SUBMIT_MS, SUBMIT_STEPS);
        loop {
            let room = (self.n_back + ahead).min(last).saturating_sub(self.n_submitted);
            // Less than what is submitted at a time waits for more room, unless it is the rest.
            let waits = room < at_once && self.n_submitted + room < last && !self.in_flight.is_empty();
            if room == 0 || waits {
                return;
            }
            let n_steps = at_once.min(room);
            let read = self.session.readback();
            let pos = self.stats.prompt_tokens + self.n_submitted - 1;
            model.decode(pos, n_steps, &self.options.sampling, &read);
            let pending = model.gpu.map(&read);
            self.in_flight.push_back(Submitted { read, pending, n_steps });
            self.n_submitted += n_steps;
        }
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
    /// Also where the caller stops early: the cache holds the tokens that steps were submitted for, and what
    /// came after them is overwritten.
    fn drop(&mut self) {
        let run = self.generated.len().min(self.n_submitted as usize - 1);
        let (run, written) = self.generated.split_at(run);
        let mut cached = self.session.cached.borrow_mut();
        cached.ids.extend_from_slice(run);
        cached.written = written.to_vec();
        cached.n_written = cached.n_written.max(self.stats.prompt_tokens + self.n_submitted - 1);
        *self.session.stats.borrow_mut() = self.stats.clone();
        self.session.busy.set(false);
    }
}
