//! Kokoro-82M, text to speech: StyleTTS 2 (arXiv:2306.07691) with the vocoder iSTFTNet (arXiv:2203.02395).
//!
//! `text.rs` goes from tokens to durations, `decoder.rs` from frames to what the generator takes, `generator.rs` to audio;
//! `scripts/speech/kokoro.py` is the same in numpy. A text takes two submits' worth of plans: how long the audio is, is known after the
//! durations are read back. Plans are recorded for each text, on pipelines that serve every length, and on memory that the texts share.

pub mod convert;
mod decoder;
mod generator;
mod inputs;
mod parts;
mod pass;
mod pool;
mod report;
pub mod symbols;
mod text;
pub mod voices;
mod weights;

use std::cell::Cell;
use std::rc::Rc;

pub use parts::parts;
pub use pass::Pass;
pub use pool::{Held, Pool};
pub use report::{Info, Speech, Stats};
pub use voices::Voices;
pub use weights::{ARCHITECTURE, Block, Linear, MAX_TOKENS, N_TOKENS, STYLE, StyleAt, Weights};

use futures_util::future::try_join;

use crate::clock::Clock;
use crate::error::{Result, bail};
use crate::gpu::{Buffer, CopyOut, Gpu, Ledger, Plan};
use crate::load::{LoadEvents, Tally, load_bytes, read_header, stream_weights};
use crate::ops::{BatchBuffers, Input, Output, Phase, Recorder, Series, Tensor};
use crate::source::ByteSource;
use inputs::Inputs;
use weights::Styles;

/// Samples a second.
pub const SAMPLE_RATE: u32 = 24_000;
/// Samples of a frame.
pub const FRAME: u32 = 600;
/// The most frames that a text may have: more than half a minute. Memory grows with their number.
pub const MAX_FRAMES: u32 = 1500;
/// What speeds are allowed.
pub const SPEEDS: std::ops::RangeInclusive<f32> = 0.25..=4.0;

/// The network on a GPU. One text at a time.
pub struct Kokoro {
    pub gpu: Gpu,
    pub weights: Weights,
    pub info: Info,
    inputs: Inputs,
    /// Scales and shifts of all norms, of the decoder's half of a style and of the other.
    styles: [Tensor; 2],
    batch: BatchBuffers,
    style_plan: Plan,
    pool: Pool,
    busy: Cell<bool>,
}

/// A call under way.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// What the first half of a text leaves for the second.
struct Encoded {
    /// `(N, 640)`, in which durations and prosody are read.
    d: Held<Series>,
    /// `(N, 512)`, what the decoder learns about the text.
    text: Held<Series>,
    /// `(N)` f32: frames of each token at speed 1.
    durations: Held<Rc<Buffer>>,
}

impl Kokoro {
    /// Load a GGUF file with the network.
    ///
    /// # Errors
    /// As [`Weights::of`]; what the source, the GPU or `events` report.
    pub async fn load<S: ByteSource>(gpu: Gpu, source: &S, events: &dyn LoadEvents) -> Result<Self> {
        let started = Clock::start();
        let (gguf, source) = read_header(source, events).await?;
        let memory = Ledger::new(gpu.caps.max_binding_bytes);
        let (weights, loads) = Weights::of(&gguf, &memory)?;
        let weight_bytes = memory.bytes();
        let batch = BatchBuffers::new(&memory, 1)?;
        let inputs = Inputs::new(&memory)?;
        let tensor = |s: &Styles| Tensor::new(&memory, "styles", 1, s.w.rows);
        let styles = [tensor(&weights.decoder_styles)?, tensor(&weights.prosody_styles)?];
        let allocate = || {
            memory.allocate(&gpu);
            Ok(())
        };
        gpu.allocating("Kokoro", allocate).await?;
        events.check()?;
        let mut r = Recorder::new(&gpu, &batch, Phase::Decode { far: false });
        for (i, s) in [&weights.decoder_styles, &weights.prosody_styles].into_iter().enumerate() {
            let output = Output::Store { y: &styles[i], bias: Some(&s.bias) };
            r.matmul("styles", Input::Plain(&inputs.halves[i]), &s.w, output)?;
        }
        let style_plan = r.plan;
        let info = Info { weight_bytes, load_ms: 0.0 };
        let pool = Pool::default();
        let mut kokoro = Kokoro { gpu, weights, info, inputs, styles, batch, style_plan, pool, busy: Cell::new(false) };
        // A text of two tokens takes all kernels.
        let (_, encoded) = kokoro.record_text(2)?;
        kokoro.record_audio(&encoded, &[1, 1])?;
        drop(encoded);
        let tally = Tally::new(events, load_bytes(&loads)?);
        tally.begin();
        // Neither waits for the other to end if one fails.
        let compile = kokoro.gpu.compile(|done, all| tally.set_kernels(done, all));
        try_join(stream_weights(&kokoro.gpu, &source, &loads, &tally), compile).await?;
        kokoro.info.load_ms = started.ms();
        Ok(kokoro)
    }

    /// Speak `tokens`: 0, up to 510 ids of symbols, 0. The style is `(256)`: the row of a voice for the number of symbols, less 1.
    ///
    /// # Errors
    /// `InvalidArgument` where there are no tokens or too many, a token is none, the style has another length, the speed is out of
    /// [`SPEEDS`], or the audio would be longer than [`MAX_FRAMES`]; what the GPU reports.
    pub async fn synthesize(&self, tokens: &[u32], style: &[f32], speed: f32) -> Result<Speech> {
        let _busy = self.begin()?;
        if !SPEEDS.contains(&speed) {
            bail!(InvalidArgument, "speed is {speed}; {} to {} are allowed", SPEEDS.start(), SPEEDS.end());
        }
        let mut stats = Stats::default();
        let started = Clock::start();
        let (encoded, durations) = self.encode(tokens, style, &mut stats).await?;
        stats.text_ms = started.ms();
        let durations = frames(&durations, speed)?;
        let started = Clock::start();
        let (plans, audio, samples) = self.record_audio(&encoded, &durations)?;
        stats.record_ms = started.ms();
        drop(encoded);
        let started = Clock::start();
        let samples = self.run(&plans, &audio, samples, &mut stats).await?;
        stats.audio_ms = started.ms();
        stats.activation_bytes = self.pool.bytes();
        Ok(Speech { samples, durations, stats })
    }

    fn begin(&self) -> Result<Busy<'_>> {
        match self.busy.replace(true) {
            false => Ok(Busy(&self.busy)),
            true => bail!(InvalidState, "another text is being spoken"),
        }
    }

    /// Frames of each token at speed 1, not rounded; [`frames`] rounds them at a speed. How long the text would be, without its audio.
    ///
    /// # Errors
    /// As [`Kokoro::synthesize`].
    pub async fn durations(&self, tokens: &[u32], style: &[f32]) -> Result<Vec<f32>> {
        let _busy = self.begin()?;
        let (_, durations) = self.encode(tokens, style, &mut Stats::default()).await?;
        Ok(durations)
    }

    /// The first half: what is known of a text before its length.
    ///
    /// # Errors
    /// As [`Kokoro::synthesize`].
    async fn encode(&self, tokens: &[u32], style: &[f32], stats: &mut Stats) -> Result<(Encoded, Vec<f32>)> {
        self.set(tokens, style)?;
        let (plans, encoded) = self.record_text(tokens.len() as u32)?;
        let durations = self.run(&plans, &encoded.durations, tokens.len(), stats).await?;
        Ok((encoded, durations))
    }

    /// The first half of a text of `n` tokens as plans, and what they leave.
    fn record_text(&self, n: u32) -> Result<(Vec<Plan>, Encoded)> {
        let mut p = self.pass();
        let len = p.length(n)?;
        let (tokens, w) = (&self.inputs.tokens, &self.weights);
        let text = p.text_encoder(tokens, &len, &w.text_encoder)?;
        p.cut();
        let d = p.series(&len, 512 + STYLE)?;
        p.bert(tokens, &w.bert, &d)?;
        p.cut();
        p.duration_encoder(&d, &self.inputs.style, &w.duration, self.prosody_styles())?;
        let durations = p.buffer(u64::from(n) * 4)?;
        p.durations(&d, &w.duration, &durations)?;
        Ok((p.finish(), Encoded { d, text, durations }))
    }

    /// The second half as plans, the buffer that they leave the audio in, and its samples.
    fn record_audio(&self, encoded: &Encoded, durations: &[u32]) -> Result<(Vec<Plan>, Held<Rc<Buffer>>, usize)> {
        let rows: Vec<u32> = (0..).zip(durations).flat_map(|(row, &n)| std::iter::repeat_n(row, n as usize)).collect();
        let mut p = self.pass();
        let w = &self.weights;
        let len = p.length(rows.len() as u32)?;
        let index = p.buffer(u64::from(len.rows) * 4)?;
        self.gpu.write(&index, 0, &rows);
        let en = p.series(&len, encoded.d.width())?;
        p.r.expand("prosody.frames", &encoded.d, &index, &en)?;
        let curves = p.curves(&en, &w.prosody, self.prosody_styles())?;
        drop(en);
        p.cut();
        let x = p.decoder(&encoded.text, &index, &curves, &w.decoder, self.decoder_styles())?;
        p.cut();
        let har = p.harmonics(&curves, &w.generator)?;
        drop(curves);
        let samples = len.rows * FRAME;
        let audio = p.buffer(u64::from(samples) * 4)?;
        p.generator(x, har, &w.generator, self.decoder_styles(), &audio)?;
        Ok((p.finish(), audio, samples as usize))
    }

    /// The plans of both halves of a text of `n` tokens, each of as many frames: what a benchmark runs.
    ///
    /// # Errors
    /// As [`Kokoro::synthesize`].
    pub fn plans(&self, n: u32, frames_each: u32) -> Result<[Vec<Plan>; 2]> {
        let (text, encoded) = self.record_text(n)?;
        let (audio, ..) = self.record_audio(&encoded, &vec![frames_each; n as usize])?;
        Ok([text, audio])
    }

    /// What records blocks on this GPU, on memory that all share.
    #[must_use]
    pub fn pass(&self) -> Pass<'_> {
        Pass::new(&self.gpu, &self.batch, &self.pool)
    }

    /// Scales and shifts of the decoder's norms.
    #[must_use]
    pub fn decoder_styles(&self) -> &Rc<Buffer> {
        &self.styles[0].buffer
    }

    /// Scales and shifts of the norms of durations and prosody.
    #[must_use]
    pub fn prosody_styles(&self) -> &Rc<Buffer> {
        &self.styles[1].buffer
    }

    /// The ids of the text, `(N)` u32.
    #[must_use]
    pub fn tokens(&self) -> &Rc<Buffer> {
        &self.inputs.tokens
    }

    /// The style, `(256)` f32.
    #[must_use]
    pub fn style(&self) -> &Rc<Buffer> {
        &self.inputs.style
    }

    /// Tokens and style are on the GPU from here on, and all norms' scales and shifts.
    ///
    /// # Errors
    /// As [`Kokoro::synthesize`].
    pub fn set(&self, tokens: &[u32], style: &[f32]) -> Result<()> {
        self.inputs.write(&self.gpu, tokens, style)?;
        self.gpu.submit([&self.style_plan], 1, None);
        Ok(())
    }

    /// Run plans, a submit each, and read the first `n` f32 of a buffer.
    ///
    /// # Errors
    /// What the GPU reports.
    pub async fn run(&self, plans: &[Plan], read: &Rc<Buffer>, n: usize, stats: &mut Stats) -> Result<Vec<f32>> {
        self.gpu.compile(|_, _| {}).await?;
        let plans: Vec<&Plan> = plans.iter().filter(|p| p.n_dispatches() > 0).collect();
        stats.submits += plans.len();
        stats.dispatches += plans.iter().map(|p| p.n_dispatches()).sum::<usize>();
        for plan in plans {
            self.gpu.submit([plan], 1, None);
        }
        let bytes = 0..n as u64 * 4;
        let readback = self.gpu.readback(bytes.end);
        self.gpu.submit([], 1, Some(CopyOut { from: read, bytes, to: &readback }));
        let pending = self.gpu.map(&readback);
        self.gpu
            .read_with(&readback, pending, |raw| raw.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
            .await
    }
}

/// Frames of each token at a speed, one at least. Halves go to the even number, as ONNX's Round does.
///
/// # Errors
/// `InvalidArgument` where there are more than [`MAX_FRAMES`].
pub fn frames(durations: &[f32], speed: f32) -> Result<Vec<u32>> {
    let frames: Vec<u32> = durations.iter().map(|d| (d / speed).round_ties_even().max(1.0) as u32).collect();
    let total = frames.iter().fold(0_u32, |sum, &n| sum.saturating_add(n));
    if total > MAX_FRAMES {
        bail!(InvalidArgument, "the text takes {total} frames, {MAX_FRAMES} are allowed; speak it in parts");
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::frames;

    #[test]
    fn frames_are_rounded_as_onnx_rounds() {
        assert_eq!(frames(&[0.1, 2.5, 3.5, 7.6], 1.0).unwrap(), [1, 2, 4, 8]);
        assert_eq!(frames(&[5.0, 9.0], 2.0).unwrap(), [2, 4]);
        let error = frames(&[50.0; 31], 1.0).unwrap_err().to_string();
        assert!(error.contains("1550 frames, 1500 are allowed"), "{error}");
        assert!(frames(&[f32::MAX, f32::MAX], 0.25).is_err());
    }
}
