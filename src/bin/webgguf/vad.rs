//! `webgguf vad`.

use std::io::{Write, stdout};
use std::time::Instant;

use clap::Args;
use webgguf::speech::silero_vad::{FRAME, SAMPLE_RATE, SegmentOptions, Vad as Network, segments};
use webgguf::speech::wav::Wav;

use crate::Failure;
use crate::source::Source;

/// Write where somebody speaks in a recording
#[derive(Args)]
pub struct Vad {
    /// Silero VAD as a GGUF file of `webgguf convert`, or its URL
    model: String,
    /// A WAV file of 16 kHz, 16-bit integers or floats
    recording: String,
    /// The probability at which speech begins, 0 to 1
    #[arg(long, default_value_t = SegmentOptions::default().threshold)]
    threshold: f32,
    /// Write an object with the segments, and the probability of each frame of 512 samples
    #[arg(long)]
    json: bool,
}

impl Vad {
    pub fn run(&self) -> Result<(), Failure> {
        let named = |e: &dyn std::fmt::Display| format!("'{}': {e}", self.recording);
        let file = std::fs::read(&self.recording).map_err(|e| named(&e))?;
        let Wav { samples, rate } = Wav::parse(&file).map_err(|e| named(&e))?;
        if rate != SAMPLE_RATE {
            return Err(named(&format!("it has {rate} samples a second, {SAMPLE_RATE} are needed")).into());
        }
        let mut vad = pollster::block_on(Network::load(&Source::open(&self.model)?, &()))?;
        let start = Instant::now();
        let probabilities = vad.probabilities(&samples)?;
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let found = segments(
            &probabilities,
            samples.len(),
            &SegmentOptions { threshold: self.threshold, ..Default::default() },
        )?;
        let seconds = |at: usize| at as f64 / f64::from(SAMPLE_RATE);
        let mut out = stdout().lock();
        if self.json {
            let segments = found.iter().map(|s| {
                let (from, to) = (seconds(s.start), seconds(s.end));
                serde_json::json!({ "start": s.start, "end": s.end, "startSeconds": from, "endSeconds": to })
            });
            let json = serde_json::json!({
                "sampleRate": SAMPLE_RATE,
                "samplesPerFrame": FRAME,
                "segments": segments.collect::<Vec<_>>(),
                "probabilities": probabilities,
                "ms": ms,
            });
            writeln!(out, "{}", serde_json::to_string_pretty(&json)?)?;
        } else {
            for s in &found {
                writeln!(out, "{:8.2} to {:8.2} s", seconds(s.start), seconds(s.end))?;
            }
            let (n, frames) = (found.len(), probabilities.len());
            let (all, each) = (seconds(samples.len()), ms / frames.max(1) as f64);
            eprintln!("{n} segments in {all:.2} s; {frames} frames, {each:.3} ms each");
        }
        Ok(())
    }
}
