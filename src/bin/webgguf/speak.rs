//! `webgguf speak`.

use std::io::{Write, stdout};
use std::path::Path;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};
use webgguf::formats::npz;
use webgguf::gpu::Gpu;
use webgguf::source::MemorySource;
use webgguf::speech::kokoro::{FRAME, Info, Kokoro, SAMPLE_RATE, Speech, Voices, parts, symbols, voices};
use webgguf::speech::phonemes::Phonemizer;
use webgguf::speech::wav::wav;

use crate::Failure;
use crate::source::{Source, dictionary};

/// The dictionary's name, beside the model.
const DICTIONARY: &str = "speech-en-us.dict";

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
    /// What to say, in American English
    #[arg(long, allow_hyphen_values = true, required_unless_present = "phonemes")]
    text: Option<String>,
    /// What to say, in Kokoro's phonemes
    #[arg(long, conflicts_with = "text")]
    phonemes: Option<String>,
    /// The dictionary of phonemes, which `scripts/speech/dictionary.py` makes, or its URL [default: speech-en-us.dict beside the model]
    #[arg(long, conflicts_with = "phonemes")]
    dictionary: Option<String>,
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

/// What is spoken at a time.
struct Utterance {
    phonemes: String,
    tokens: Vec<u32>,
}

impl Utterance {
    fn new(phonemes: &str) -> Result<Self, Failure> {
        Ok(Utterance { phonemes: phonemes.to_owned(), tokens: symbols::tokens(phonemes)? })
    }
}

impl Speak {
    pub fn run(&self) -> Result<(), Failure> {
        let started = Instant::now();
        let parts = self.parts()?;
        let phonemize_ms = started.elapsed().as_secs_f64() * 1e3;
        let (model, speeches) = pollster::block_on(self.speak(&parts))?;
        let samples: Vec<f32> = speeches.iter().flat_map(|speech| &speech.samples).copied().collect();
        std::fs::write(&self.out, wav(&samples, SAMPLE_RATE)).map_err(|e| format!("'{}': {e}", self.out))?;
        let seconds = samples.len() as f64 / f64::from(SAMPLE_RATE);
        match self.json {
            true => {
                let spoken: Vec<Value> =
                    parts.iter().zip(&speeches).map(|(part, speech)| object(part, speech)).collect();
                let json = json!({
                    "seconds": seconds,
                    "sampleRate": SAMPLE_RATE,
                    "samples": samples.len(),
                    "samplesPerFrame": FRAME,
                    "phonemizeMs": phonemize_ms,
                    "parts": spoken,
                    "model": model,
                });
                writeln!(stdout(), "{}", serde_json::to_string_pretty(&json)?)?;
            }
            false => {
                let ms: f64 = speeches.iter().map(|s| s.stats.text_ms + s.stats.record_ms + s.stats.audio_ms).sum();
                writeln!(stdout(), "{}: {seconds:.2} s, made in {:.2} s", self.out, ms / 1e3)?;
            }
        }
        Ok(())
    }

    /// Sentences, or what there is room for; phonemes as they are. What can't be said goes to the error output.
    fn parts(&self) -> Result<Vec<Utterance>, Failure> {
        let (Some(text), None) = (&self.text, &self.phonemes) else {
            return Ok(vec![Utterance::new(self.phonemes.as_deref().unwrap_or_default())?]);
        };
        let dictionary = match &self.dictionary {
            Some(location) => dictionary(location)?,
            None => dictionary(&beside(&self.model)).map_err(|e| format!("{e}; --dictionary FILE names another"))?,
        };
        let phonemizer = Phonemizer::new(&dictionary);
        let mut all = Vec::new();
        for sentence in phonemizer.sentences(text) {
            let said = phonemizer.phonemize(sentence);
            for range in said.dropped {
                eprintln!("not said: '{}'", &sentence[range]);
            }
            for part in parts(&said.phonemes, self.speed) {
                all.push(Utterance::new(part)?);
            }
        }
        if all.is_empty() {
            return Err("the text has nothing to say in it".into());
        }
        Ok(all)
    }

    async fn speak(&self, parts: &[Utterance]) -> Result<(Info, Vec<Speech>), Failure> {
        let gpu = Gpu::new().await?;
        let voices = self.voices(&gpu).await?;
        let style = |part: &Utterance| voices.style(&self.voice, part.tokens.len() - 2);
        let styles = parts.iter().map(style).collect::<Result<Vec<_>, _>>()?;
        let kokoro = Kokoro::load(gpu, &Source::open(&self.model)?, &()).await?;
        let mut speeches = Vec::new();
        for (part, style) in parts.iter().zip(styles) {
            speeches.push(kokoro.synthesize(&part.tokens, style, self.speed).await?);
        }
        Ok((kokoro.info, speeches))
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

/// Where the dictionary of a model is, if nobody says so: a path, or a URL.
fn beside(model: &str) -> String {
    Path::new(model).with_file_name(DICTIONARY).display().to_string()
}

/// A part for programs: the frames of each token, and what each stage took.
fn object(part: &Utterance, speech: &Speech) -> Value {
    json!({
        "phonemes": part.phonemes,
        "samples": speech.samples.len(),
        "durations": speech.durations,
        "stats": speech.stats,
    })
}
