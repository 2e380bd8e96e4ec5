//! Language models for JavaScript.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint32Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::AbortSignal;

use super::calls::{self, JsEvents, to_js};
use super::text::{self, TextEngine};
use crate::error::{Error, Result};
use crate::gpu::DeviceProfile;
use crate::llm::{Constraint, Earlier, FinishReason, GenerateOptions, Generation, LoadOptions, Session, TextId};
use crate::load::LoadEvents;
use crate::ops::KvType;
use crate::source::{JsFile, JsSource, Split};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoadArguments {
    context_length: Option<u32>,
    kv_cache: Option<String>,
    profile: Option<String>,
    memory_budget: Option<u64>,
}

impl LoadArguments {
    pub(super) fn options(self) -> Result<LoadOptions> {
        Ok(LoadOptions {
            context_length: self.context_length,
            kv_type: self.kv_cache.as_deref().map(KvType::from_name).transpose()?,
            profile: self.profile.as_deref().map_or(Ok(DeviceProfile::Full), DeviceProfile::from_name)?,
            memory_budget: self.memory_budget,
            ..LoadOptions::default()
        })
    }
}

#[wasm_bindgen]
extern "C" {
    /// `Constrained` of the wasm of formats, which `format.js` of the package brings.
    pub type JsConstraint;
    #[wasm_bindgen(method, catch)]
    fn allowed(this: &JsConstraint) -> Result<Vec<u32>, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn accept(this: &JsConstraint, bytes: &[u8]) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn is_over(this: &JsConstraint) -> Result<bool, JsValue>;
}

impl Constraint for JsConstraint {
    fn allowed(&mut self) -> Result<Vec<u32>> {
        JsConstraint::allowed(self).map_err(|e| Error::from_js(&e))
    }

    fn accept(&mut self, bytes: &[u8]) -> Result<bool> {
        JsConstraint::accept(self, bytes).map_err(|e| Error::from_js(&e))
    }

    fn is_over(&mut self) -> Result<bool> {
        JsConstraint::is_over(self).map_err(|e| Error::from_js(&e))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    prompt_tokens: u32,
    reused_tokens: u32,
    generated_tokens: u32,
    first_token_ms: f64,
    decode_ms: f64,
    prefill_per_second: f64,
    decode_per_second: f64,
    finish_reason: Option<&'static str>,
    gpu_bytes: u64,
    sequences: usize,
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
        options: JsValue,
        on_progress: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<Engine, JsValue> {
        let arguments: LoadArguments = calls::options("loadModel", options)?;
        let options = arguments.options()?;
        let events = JsEvents { on_progress, signal: signal.clone() };
        events.check()?;
        let files = Split(files.into_iter().map(JsSource).collect());
        let session = Session::load(&files, &options, &events).await?;
        Ok(Engine { session })
    }

    /// `Info` of the model.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        Ok(to_js(&self.session.info)?)
    }

    /// The last generation's figures.
    pub fn stats(&self) -> Result<JsValue, JsValue> {
        let s = self.session.stats();
        Ok(to_js(&Stats {
            prompt_tokens: s.prompt_tokens,
            reused_tokens: s.reused_tokens,
            generated_tokens: s.generated_tokens,
            first_token_ms: s.first_token_ms,
            decode_ms: s.decode_ms,
            prefill_per_second: s.prefill_per_second(),
            decode_per_second: s.decode_per_second(),
            finish_reason: s.finish_reason.map(FinishReason::name),
            gpu_bytes: self.session.model.gpu.allocated_bytes(),
            sequences: self.session.n_sequences(),
        })?)
    }

    /// The text side alone.
    #[must_use]
    pub fn text(&self) -> TextEngine {
        TextEngine::new(self.session.text.clone())
    }

    /// The ids of a chat's prompt: as of `TextEngine`, but what the model wrote in this text stays in the ids that it
    /// wrote.
    pub fn chat_ids(&self, text_id: TextId, variables: &str, template: Option<String>) -> Result<Vec<u32>, JsValue> {
        Ok(self.session.chat_ids(text_id, &text::chat_prompt(&self.session.text, variables, template)?))
    }

    /// Start to generate after a prompt's ids, on the sequence of a text: a chat's number, or 0. The last `n_generated`
    /// of them are an earlier call's, whose text the caller has but for its end, `missing`. `constraint` says what tokens are
    /// allowed.
    pub async fn generate(
        &self,
        text_id: TextId,
        prompt: Vec<u32>,
        options: JsValue,
        n_generated: usize,
        missing: String,
        constraint: Option<JsConstraint>,
    ) -> Result<TextStream, JsValue> {
        let sampling = calls::options("generate", options.clone())?;
        let earlier = Earlier { n_generated, missing };
        let options = GenerateOptions { sampling, earlier, ..calls::options("generate", options)? };
        let session = self.session.clone();
        let constraint = constraint.map(|constraint| Box::new(constraint) as Box<dyn Constraint>);
        let generation = session.generate_within(text_id, &prompt, options, constraint).await?;
        Ok(TextStream { generation: Rc::new(RefCell::new(Some(generation))) })
    }

    /// A text that begins as another is now.
    pub fn fork(&self, from: TextId, to: TextId) {
        self.session.fork(from, to);
    }

    /// A text that will not go on: its sequence is free for others.
    pub fn forget(&self, text_id: TextId) {
        self.session.forget(text_id);
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

    /// The GPU time of a decode step at position `pos`, or of a prefill of `n_tokens`.
    pub async fn profile(&self, pos: u32, n_tokens: u32) -> Result<JsValue, JsValue> {
        let session = self.session.clone();
        Ok(to_js(&session.profile(pos, n_tokens).await?)?)
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
}

#[wasm_bindgen]
impl TextStream {
    /// What comes next, as an array: the text, `undefined` at the end; the ids generated since the last call, those of
    /// text that is still held back too; and that text, since a stop string may have begun in it. One call at a time.
    pub async fn next(&self) -> Result<Array, JsValue> {
        let slot = self.generation.clone();
        // Taken, not borrowed: the call may be abandoned while it waits.
        let Some(mut generation) = slot.borrow_mut().take() else {
            return Ok(Array::of3(&JsValue::UNDEFINED, &Uint32Array::new_with_length(0), &"".into()));
        };
        let before = generation.generated().len();
        let text = generation.next().await?;
        let ids = Uint32Array::from(&generation.generated()[before..]);
        let piece = Array::of3(&JsValue::from(text), &ids, &generation.missing().into());
        if !piece.get(0).is_undefined() {
            slot.replace(Some(generation));
        }
        Ok(piece)
    }

    /// Stop here; the model is free for the next call.
    pub fn stop(&self) {
        self.generation.replace(None);
    }
}
