//! Encoders for JavaScript.

use std::rc::Rc;

use js_sys::{Float32Array, Function, Object, Promise, Reflect};
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::AbortSignal;

use super::calls::{self, JsEvents, to_js};
use crate::encoder::{EmbedEvents, EmbedOptions, Embedder, Prefix};
use crate::error::{Result, bail};
use crate::gpu::{DeviceProfile, Gpu};
use crate::load::LoadEvents;
use crate::source::{JsFile, JsSource, Split};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoadArguments {
    context_length: Option<u32>,
    profile: String,
}

#[derive(Deserialize)]
struct EmbedArguments {
    dimensions: Option<u32>,
    normalize: Option<bool>,
    prefix: Option<String>,
    truncate: Option<bool>,
}

/// Progress and abort of a call.
struct Calls {
    on_progress: Option<Function>,
    signal: Option<AbortSignal>,
}

impl EmbedEvents for Calls {
    fn progress(&self, done: usize, total: usize) {
        let Some(call) = &self.on_progress else { return };
        let event = Object::new();
        let set = |key: &str, value: usize| drop(Reflect::set(&event, &key.into(), &(value as f64).into()));
        set("done", done);
        set("total", total);
        // It is a function of `embed.js`, which hands on what the caller's throws.
        let _ = call.call1(&JsValue::NULL, &event);
    }

    fn check(&self) -> Result<()> {
        if self.signal.as_ref().is_some_and(AbortSignal::aborted) {
            bail!(Aborted, "embed was aborted by the caller's signal");
        }
        Ok(())
    }
}

/// An encoder, loaded.
#[wasm_bindgen]
pub struct EmbedEngine {
    embedder: Rc<Embedder>,
}

#[wasm_bindgen]
impl EmbedEngine {
    /// Load the encoder from a GGUF file of `source.js`, or from its parts.
    pub async fn load(
        files: Vec<JsFile>,
        options: JsValue,
        on_progress: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<EmbedEngine, JsValue> {
        let LoadArguments { context_length, profile } = calls::options("loadEmbedder", options)?;
        let events = JsEvents { on_progress, signal };
        events.check()?;
        let files = Split(files.into_iter().map(JsSource).collect());
        let gpu = Gpu::with_profile(DeviceProfile::from_name(&profile)?).await?;
        let embedder = Embedder::load_on(gpu, &files, context_length, &events).await?;
        Ok(EmbedEngine { embedder: Rc::new(embedder) })
    }

    /// `Info` of the encoder.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        Ok(to_js(&self.embedder.info)?)
    }

    /// A vector of each text: a promise of an object with `data`, all of them, and `dimensions` and `tokens`.
    ///
    /// It does not keep the engine: `destroy` can be called meanwhile.
    pub fn embed(
        &self,
        texts: Vec<String>,
        options: JsValue,
        on_progress: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Promise {
        let embedder = self.embedder.clone();
        future_to_promise(async move {
            let EmbedArguments { dimensions, normalize, prefix, truncate } = calls::options("embed", options)?;
            let options = EmbedOptions {
                dimensions,
                normalize: normalize.unwrap_or(true),
                prefix: Prefix::of(&prefix.unwrap_or_default()),
                truncate: truncate.unwrap_or(false),
            };
            let vectors = embedder.embed(&texts, &options, &Calls { on_progress, signal }).await?;
            let result = Object::new();
            let set = |name: &str, value: JsValue| drop(Reflect::set(&result, &name.into(), &value));
            set("data", Float32Array::from(&*vectors.data).into());
            set("dimensions", (vectors.dimensions as f64).into());
            set("tokens", (vectors.n_tokens as f64).into());
            Ok(result.into())
        })
    }

    /// How many tokens a text is, with what comes around it.
    pub fn count(&self, text: &str, prefix: &str) -> Result<usize, JsValue> {
        Ok(self.embedder.count(text, &Prefix::of(prefix))?)
    }

    /// Resolves to the reason when the GPU device is lost, or destroyed.
    pub fn lost(&self) -> Promise {
        let lost = self.embedder.gpu.lost();
        future_to_promise(async { Ok(lost.await.unwrap_or_default().into()) })
    }

    /// Give the GPU's memory back. A call under way ends with `DEVICE_LOST`.
    pub fn destroy(self) {
        self.embedder.gpu.destroy();
    }
}
