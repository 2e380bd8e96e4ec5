//! Speech for JavaScript.

use std::rc::Rc;

use js_sys::{Array, Float32Array, Function, Object, Promise, Reflect, Uint32Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::AbortSignal;

use super::calls::{self, JsEvents, to_js};
use crate::error::Result;
use crate::gpu::{DeviceProfile, Gpu};
use crate::source::{JsFile, JsSource, Split};
use crate::speech::kokoro::symbols::tokens;
use crate::speech::kokoro::voices::Voices;
use crate::speech::kokoro::{FRAME, Kokoro, SAMPLE_RATE, parts};
use crate::speech::phonemes::{Dictionary, Phonemizer, Source};
use crate::speech::silero_vad::{self, Hysteresis, SegmentOptions, Vad, whole_frame};

/// A voice's network on the GPU, and its voices.
#[wasm_bindgen]
pub struct SpeechEngine {
    kokoro: Rc<Kokoro>,
    voices: Rc<Voices>,
}

/// What was loaded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    sample_rate: u32,
    voices: Vec<&'a str>,
    memory: Memory,
    gpu: GpuInfo<'a>,
    load_ms: f64,
}

#[derive(Serialize)]
struct Memory {
    weights: u64,
}

#[derive(Serialize)]
struct GpuInfo<'a> {
    adapter: &'a str,
    backend: &'a str,
}

#[wasm_bindgen]
impl SpeechEngine {
    /// Load the network from a GGUF file of `source.js`, or from its parts, and voices from another.
    pub async fn load(
        files: Vec<JsFile>,
        voices: Vec<JsFile>,
        profile: String,
        on_progress: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<SpeechEngine, JsValue> {
        let split = |files: Vec<JsFile>| Split(files.into_iter().map(JsSource).collect());
        let gpu = Gpu::with_profile(DeviceProfile::from_name(&profile)?).await?;
        let quiet = JsEvents { on_progress: None, signal: signal.clone() };
        let voices = Voices::load(&gpu, &split(voices), &quiet).await?;
        let kokoro = Kokoro::load(gpu, &split(files), &JsEvents { on_progress, signal }).await?;
        Ok(SpeechEngine { kokoro: Rc::new(kokoro), voices: Rc::new(voices) })
    }

    pub fn info(&self) -> Result<JsValue, JsValue> {
        let Kokoro { gpu, info, .. } = &*self.kokoro;
        Ok(to_js(&Info {
            sample_rate: SAMPLE_RATE,
            voices: self.voices.names(),
            memory: Memory { weights: info.weight_bytes },
            gpu: GpuInfo { adapter: &gpu.caps.adapter, backend: gpu.caps.backend },
            load_ms: info.load_ms,
        })?)
    }

    /// Speak phonemes, up to 510. The voice is an array of `[name, weight]`. The promise is of samples, the samples that each
    /// phoneme takes (the silence before and after is the first's and the last's), and figures.
    ///
    /// It does not keep the engine: `destroy` can be called meanwhile.
    pub fn synthesize(&self, phonemes: String, voice: JsValue, speed: f32) -> Promise {
        let (kokoro, voices) = (self.kokoro.clone(), self.voices.clone());
        future_to_promise(async move {
            let tokens = tokens(&phonemes)?;
            let mixture: Vec<(String, f32)> = calls::options("synthesize", voice)?;
            let style = voices.mixed(&mixture, tokens.len() - 2)?;
            let speech = kokoro.synthesize(&tokens, &style, speed).await?;
            let durations: Vec<u32> = speech.durations.iter().map(|n| n * FRAME).collect();
            let result = Object::new();
            let set = |name: &str, value: JsValue| drop(Reflect::set(&result, &name.into(), &value));
            set("samples", Float32Array::from(&*speech.samples).into());
            set("durations", Uint32Array::from(&*durations).into());
            set("stats", to_js(&speech.stats)?);
            set("gpuBytes", (kokoro.gpu.allocated_bytes() as f64).into());
            Ok(result.into())
        })
    }

    /// Resolves to the reason when the GPU device is lost, or destroyed.
    pub fn lost(&self) -> Promise {
        let lost = self.kokoro.gpu.lost();
        future_to_promise(async { Ok(lost.await.unwrap_or_default().into()) })
    }

    /// Give the GPU's memory back. A call under way ends with `DEVICE_LOST`.
    pub fn destroy(self) {
        self.kokoro.gpu.destroy();
    }
}

/// A dictionary, and what turns texts into phonemes by it.
#[wasm_bindgen]
pub struct PhonemizerEngine {
    dictionary: Dictionary,
}

#[derive(Serialize)]
struct Phonemes<'a> {
    phonemes: String,
    words: Vec<Word<'a>>,
    dropped: Vec<&'a str>,
}

#[derive(Serialize)]
struct Word<'a> {
    text: &'a str,
    spoken: String,
    phonemes: String,
    source: &'static str,
}

#[wasm_bindgen]
impl PhonemizerEngine {
    /// With the bytes of a dictionary.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>) -> Result<PhonemizerEngine, JsValue> {
        Ok(PhonemizerEngine { dictionary: Dictionary::from_bytes(&bytes)? })
    }

    /// `Phonemes` of a text.
    pub fn phonemize(&self, text: &str) -> Result<JsValue, JsValue> {
        let all = Phonemizer::new(&self.dictionary).phonemize(text);
        let word = |w: crate::speech::phonemes::Word| Word {
            text: &text[w.range],
            spoken: w.spoken,
            phonemes: w.phonemes,
            source: match w.source {
                Source::Dictionary => "dictionary",
                Source::Derived => "derived",
                Source::LetterToSound => "letter-to-sound",
                Source::Spelled => "spelled",
            },
        };
        Ok(to_js(&Phonemes {
            phonemes: all.phonemes,
            words: all.words.into_iter().map(word).collect(),
            dropped: all.dropped.into_iter().map(|range| &text[range]).collect(),
        })?)
    }

    /// The text cut into sentences.
    pub fn sentences(&self, text: &str) -> Array {
        Phonemizer::new(&self.dictionary).sentences(text).into_iter().map(JsValue::from).collect()
    }
}

/// Phonemes cut into parts that have room at this speed.
#[wasm_bindgen(js_name = partsOf)]
pub fn parts_of(phonemes: &str, speed: f32) -> Array {
    parts(phonemes, speed).into_iter().map(JsValue::from).collect()
}

/// A network that hears speech, and what it remembers of a stream.
#[wasm_bindgen]
pub struct VadEngine {
    vad: Vad,
    speaks: Hysteresis,
}

/// What it hears.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VadInfo {
    sample_rate: u32,
    samples_per_frame: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Heard {
    probability: f32,
    is_speech: bool,
}

#[derive(Serialize)]
struct Segment {
    start: usize,
    end: usize,
}

#[wasm_bindgen]
impl VadEngine {
    /// Load the network from a GGUF file of `source.js`, or from its parts.
    pub async fn load(
        files: Vec<JsFile>,
        threshold: Option<f32>,
        on_progress: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<VadEngine, JsValue> {
        let speaks = Hysteresis::new(threshold.unwrap_or(SegmentOptions::default().threshold))?;
        let files = Split(files.into_iter().map(JsSource).collect());
        let vad = Vad::load(&files, &JsEvents { on_progress, signal }).await?;
        Ok(VadEngine { vad, speaks })
    }

    pub fn info(&self) -> Result<JsValue, JsValue> {
        Ok(to_js(&VadInfo { sample_rate: silero_vad::SAMPLE_RATE, samples_per_frame: silero_vad::FRAME })?)
    }

    /// Hear the next frame of the stream.
    pub fn hear(&mut self, frame: &[f32]) -> Result<JsValue, JsValue> {
        let probability = self.vad.probability(whole_frame(frame)?)?;
        Ok(to_js(&Heard { probability, is_speech: self.speaks.next(probability) })?)
    }

    /// What hears a recording, while this one's stream goes on.
    pub fn fresh(&self) -> VadEngine {
        VadEngine { vad: self.vad.fresh(), speaks: self.speaks }
    }

    /// The probabilities of the frames in the next samples.
    pub fn probabilities(&mut self, samples: &[f32]) -> Result<Vec<f32>, JsValue> {
        Ok(self.vad.probabilities(samples)?)
    }

    /// The segments of a recording, by its probabilities.
    pub fn segments(&self, probabilities: &[f32], n_samples: usize, options: JsValue) -> Result<JsValue, JsValue> {
        let options = SegmentOptions { threshold: self.speaks.threshold(), ..calls::options("segments", options)? };
        let found = silero_vad::segments(probabilities, n_samples, &options)?;
        Ok(to_js(&found.into_iter().map(|s| Segment { start: s.start, end: s.end }).collect::<Vec<_>>())?)
    }

    pub fn reset(&mut self) {
        self.vad.reset();
        self.speaks.reset();
    }
}
