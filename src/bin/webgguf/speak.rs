//! `webgguf speak`.

use std::io::{Write, stdout};

use clap::Args;
use webgguf::formats::npz;
use webgguf::gpu::Gpu;
use webgguf::source::MemorySource;
use webgguf::speech::kokoro::{FRAME, Kokoro, SAMPLE_RATE, Speech, Voices, symbols, voices};
use webgguf::speech::wav::wav;

use crate::Failure;
use crate::source::Source;

/// Speak a text with Kokoro, and write a WAV file
#[derive(Args)]
pub struct Speak {
    /// A GGUF file of `webgguf convert`, or its URL
    model: String,
    /// Voices: a GGUF file of `webgguf convert`, its URL, or an archive of arrays (.npz)
    #[arg(long)]
    voices: String,
    /// One of them
    #[arg(long)]
    voice: String,
    /// What to say, in Kokoro's phonemes
    #[arg(long)]
    phonemes: String,
    /// How fast, from 0.25 to 4
    #[arg(long, default_value_t = 1.0)]
    speed: f32,
    /// The WAV file to write
    #[arg(long)]
    out: String,
    /// Write durations and times as JSON
    #[arg(long)]
    json: bool,
}

impl Speak {
    pub fn run(&self) -> Result<(), Failure> {
        let (kokoro, speech) = pollster::block_on(self.speak())?;
        std::fs::write(&self.out, wav(&speech.samples, SAMPLE_RATE))?;
        let seconds = speech.samples.len() as f64 / f64::from(SAMPLE_RATE);
        match self.json {
            true => {
                let json = serde_json::json!({
                    "seconds": seconds,
                    "sampleRate": SAMPLE_RATE,
                    "samplesPerFrame": FRAME,
                    "durations": speech.durations,
                    "stats": speech.stats,
                    "model": kokoro.info,
                });
                writeln!(stdout(), "{}", serde_json::to_string_pretty(&json)?)?;
            }
            false => {
                let ms = speech.stats.text_ms + speech.stats.record_ms + speech.stats.audio_ms;
                writeln!(stdout(), "{}: {seconds:.2} s, made in {:.2} s", self.out, ms / 1e3)?;
            }
        }
        Ok(())
    }

    async fn speak(&self) -> Result<(Kokoro, Speech), Failure> {
        let tokens = symbols::tokens(&self.phonemes)?;
        let gpu = Gpu::new().await?;
        let voices = self.voices(&gpu).await?;
        let style = voices.style(&self.voice, tokens.len() - 2)?;
        let kokoro = Kokoro::load(gpu, &Source::open(&self.model)?, &()).await?;
        let speech = kokoro.synthesize(&tokens, style, self.speed).await?;
        Ok((kokoro, speech))
    }

    async fn voices(&self, gpu: &Gpu) -> Result<Voices, Failure> {
        if self.voices.ends_with(".npz") || self.voices.ends_with(".bin") {
            let file = std::fs::read(&self.voices).map_err(|e| format!("'{}': {e}", self.voices))?;
            if npz::is_npz(&file) {
                return Ok(Voices::load(gpu, &MemorySource(voices::convert(&file)?), &()).await?);
            }
        }
        Ok(Voices::load(gpu, &Source::open(&self.voices)?, &()).await?)
    }
}
