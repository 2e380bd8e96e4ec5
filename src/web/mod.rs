//! The shell around the session for JavaScript: no logic, only types turned into others. `index.js` of the
//! package makes the public API of it.

mod fit;
mod text;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use serde::{Deserialize, Serialize};
use text::TextEngine;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::AbortSignal;

use crate::error::{Error, Result, bail};
use crate::gpu::DeviceProfile;
use crate::model::{LoadEvents, LoadOptions, LoadPhase, Sampling};
use crate::ops::KvType;
use crate::session::{Earlier, FinishReason, GenerateOptions, Generation, Session};
use crate::source::{JsFile, JsSource, Split};

thread_local! {
    static ON_PANIC: RefCell<Option<Function>> = RefCell::default();
}

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        ON_PANIC.with_borrow(|call| {
            // What it does is not heard: nothing runs here any more.
            let _ = call.as_ref().map(|call| call.call1(&JsValue::NULL, &info.to_string().into()));
        });
    }));
}

/// Have a function called with what a panic says: the promises of calls under way settle no more.
#[wasm_bindgen]
pub fn on_panic(call: Function) {
    ON_PANIC.set(Some(call));
}

/// An `Error` with a `code`, as every call here rejects with.
impl From<Error> for JsValue {
    fn from(e: Error) -> JsValue {
        let error = js_sys::Error::new(&e.to_string());
        error.set_name(if matches!(e, Error::Aborted(_)) { "AbortError" } else { "WebggufError" });
        let _ = Reflect::set(&error, &"code".into(), &e.code().into());
        error.into()
    }
}

/// Options of `index.js`, which has checked their types.
fn parse<'a, T: Deserialize<'a>>(what: &str, json: &'a str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| Error::InvalidArgument(format!("{what}: {e}")))
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Internal(format!("JSON: {e}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LoadArguments {
    context_length: Option<u32>,
    kv_cache: Option<String>,
    profile: Option<String>,
    memory_budget: Option<u64>,
}

impl LoadArguments {
    fn options(self) -> Result<LoadOptions> {
        Ok(LoadOptions {
            context_length: self.context_length,
            kv_type: self.kv_cache.as_deref().map(KvType::from_name).transpose()?,
            profile: self.profile.as_deref().map_or(Ok(DeviceProfile::Full), DeviceProfile::from_name)?,
            memory_budget: self.memory_budget,
            ..LoadOptions::default()
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GenerateArguments {
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    top_k: Option<u32>,
    top_p: Option<f32>,
    min_p: Option<f32>,
    repeat_penalty: Option<f32>,
    seed: Option<u32>,
    #[serde(default)]
    stop: Vec<String>,
    #[serde(default)]
    ignore_end: bool,
    #[serde(default)]
    show_special: bool,
}

impl GenerateArguments {
    fn options(self, earlier: Earlier) -> GenerateOptions {
        let d = GenerateOptions::default();
        GenerateOptions {
            max_tokens: self.max_tokens.unwrap_or(d.max_tokens),
            sampling: Sampling {
                temperature: self.temperature.unwrap_or(d.sampling.temperature),
                top_k: self.top_k.unwrap_or(d.sampling.top_k),
                top_p: self.top_p.unwrap_or(d.sampling.top_p),
                min_p: self.min_p.unwrap_or(d.sampling.min_p),
                repeat_penalty: self.repeat_penalty.unwrap_or(d.sampling.repeat_penalty),
                seed: self.seed.unwrap_or_else(|| (js_sys::Math::random() * f64::from(u32::MAX)) as u32),
            },
            stop: self.stop,
            ignore_end: self.ignore_end,
            show_special: self.show_special,
            earlier,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatsJson {
    prompt_tokens: u32,
    reused_tokens: u32,
    generated_tokens: u32,
    first_token_ms: f64,
    decode_ms: f64,
    prefill_per_second: f64,
    decode_per_second: f64,
    finish_reason: Option<&'static str>,
    gpu_bytes: u64,
}

/// Progress and abort of a load.
struct JsEvents {
    on_progress: Option<Function>,
    signal: Option<AbortSignal>,
}

impl LoadEvents for JsEvents {
    fn progress(&self, phase: LoadPhase, loaded_bytes: u64, total_bytes: u64, layer: Option<u32>) {
        let Some(call) = &self.on_progress else { return };
        let event = Object::new();
        let set = |key: &str, value: JsValue| {
            let _ = Reflect::set(&event, &key.into(), &value);
        };
        set("phase", phase.name().into());
        set("loaded", (loaded_bytes as f64).into());
        set("total", (total_bytes as f64).into());
        set("layer", layer.map_or(JsValue::NULL, Into::into));
        // The caller's own exception is the caller's.
        let _ = call.call1(&JsValue::NULL, &event);
    }

    fn check(&self) -> Result<()> {
        if self.signal.as_ref().is_some_and(AbortSignal::aborted) {
            bail!(Aborted, "the load was aborted by the caller's signal");
        }
        Ok(())
    }
}

/// A loaded model.
#[wasm_bindgen]
pub struct Engine {
    session: Rc<Session>,
}

#[wasm_bindgen]
impl Engine {
    /// Load a model from the files of `source.js`: one, or the parts of a split model.
    pub async fn load(
        files: Vec<JsFile>,
        options: String,
        on_progress: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<Engine, JsValue> {
        let arguments: LoadArguments = parse("the options of loadModel", &options)?;
        let options = arguments.options()?;
        let events = JsEvents { on_progress, signal: signal.clone() };
        events.check()?;
        let files = Split(files.into_iter().map(JsSource).collect());
        let session = Session::load(&files, &options, &events).await?;
        Ok(Engine { session: Rc::new(session) })
    }

    /// JSON of `Info`.
    pub fn info(&self) -> Result<String, JsValue> {
        Ok(to_json(&self.session.info)?)
    }

    /// JSON of the last generation's figures.
    pub fn stats(&self) -> Result<String, JsValue> {
        let s = self.session.stats();
        Ok(to_json(&StatsJson {
            prompt_tokens: s.prompt_tokens,
            reused_tokens: s.reused_tokens,
            generated_tokens: s.generated_tokens,
            first_token_ms: s.first_token_ms,
            decode_ms: s.decode_ms,
            prefill_per_second: s.prefill_per_second(),
            decode_per_second: s.decode_per_second(),
            finish_reason: s.finish_reason.map(FinishReason::name),
            gpu_bytes: self.session.model.gpu.allocated_bytes(),
        })?)
    }

    /// The text side alone.
    #[must_use]
    pub fn text(&self) -> TextEngine {
        TextEngine::new(self.session.text.clone())
    }

    /// The ids of a chat's prompt: as of `TextEngine`, but what the model wrote stays in the ids that it wrote.
    pub fn chat_ids(&self, variables: &str, template: Option<String>) -> Result<Vec<u32>, JsValue> {
        Ok(self.session.chat_ids(&text::chat_prompt(&self.session.text, variables, template)?))
    }

    /// Start to generate after a prompt's ids. The last `n_generated` of them are an earlier call's, whose text the caller
    /// has but for its end, `missing`.
    pub fn generate(
        &self,
        prompt: &[u32],
        options: &str,
        n_generated: usize,
        missing: String,
    ) -> Result<TextStream, JsValue> {
        let arguments: GenerateArguments = parse("the options of generate", options)?;
        let options = arguments.options(Earlier { n_generated, missing });
        let generation = self.session.generate(prompt, options)?;
        Ok(TextStream {
            generation: Rc::new(RefCell::new(Some(generation))),
            ids: Rc::default(),
            missing: Rc::default(),
        })
    }

    /// Every named intermediate of the prompt's prefill and of `n_decode` greedy steps: an array of steps, each
    /// an array of `{ name, shape, data }`.
    pub async fn capture(&self, prompt: Vec<u32>, n_decode: usize) -> Result<Array, JsValue> {
        let session = self.session.clone();
        let steps = session.capture(&prompt, n_decode).await?;
        let all = Array::new();
        for step in steps {
            let list = Array::new();
            for a in step {
                let entry = Object::new();
                Reflect::set(&entry, &"name".into(), &a.name.into())?;
                let shape = Array::of2(&(a.rows as f64).into(), &(a.width as f64).into());
                Reflect::set(&entry, &"shape".into(), &shape)?;
                Reflect::set(&entry, &"data".into(), &js_sys::Float32Array::from(a.data.as_slice()))?;
                list.push(&entry);
            }
            all.push(&list);
        }
        Ok(all)
    }

    /// What the weights on the GPU are, as 16 hexadecimal digits: for tests of loading.
    pub async fn weights_checksum(&self) -> Result<String, JsValue> {
        let session = self.session.clone();
        Ok(format!("{:016x}", session.model.weights_checksum().await?))
    }

    /// JSON of the GPU time of a decode step at position `pos`, or of a prefill of `n_tokens`.
    pub async fn profile(&self, pos: u32, n_tokens: u32) -> Result<String, JsValue> {
        let session = self.session.clone();
        Ok(to_json(&session.profile(pos, n_tokens).await?)?)
    }

    /// Resolves to the reason when the GPU device is lost, or destroyed.
    pub fn lost(&self) -> Promise {
        let lost = self.session.model.gpu.lost();
        future_to_promise(async { Ok(lost.await.unwrap_or_default().into()) })
    }

    /// Give the GPU's memory back. A generation under way ends with `DEVICE_LOST`.
    pub fn destroy(self) {
        self.session.model.gpu.destroy();
    }
}

/// The text of a generation, piece by piece.
#[wasm_bindgen]
pub struct TextStream {
    generation: Rc<RefCell<Option<Generation>>>,
    /// Generated and not taken yet.
    ids: Rc<RefCell<Vec<u32>>>,
    missing: Rc<RefCell<String>>,
}

#[wasm_bindgen]
impl TextStream {
    /// The next piece, `undefined` at the end. One call at a time.
    pub async fn next(&self) -> Result<Option<String>, JsValue> {
        let (slot, ids, missing) = (self.generation.clone(), self.ids.clone(), self.missing.clone());
        // Taken, not borrowed: the call may be abandoned while it waits.
        let Some(mut generation) = slot.borrow_mut().take() else { return Ok(None) };
        let before = generation.generated().len();
        let result = generation.next().await;
        ids.borrow_mut().extend_from_slice(&generation.generated()[before..]);
        generation.missing().clone_into(&mut missing.borrow_mut());
        if matches!(result, Ok(Some(_))) {
            slot.replace(Some(generation));
        }
        Ok(result?)
    }

    /// The ids generated since the last call, those of text that is still held back too.
    #[must_use]
    pub fn take_ids(&self) -> Vec<u32> {
        self.ids.take()
    }

    /// Text of the ids so far that was not handed out, since a stop string may have begun in it.
    #[must_use]
    pub fn missing(&self) -> String {
        self.missing.borrow().clone()
    }

    /// Stop here; the model is free for the next call.
    pub fn stop(&self) {
        self.generation.replace(None);
    }
}
