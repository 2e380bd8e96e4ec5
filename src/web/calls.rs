//! What calls of every family share: options and results as objects, progress, abort.

use js_sys::{Function, Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::from_js::FromJs;
use super::to_js::ToJs;
use crate::error::{Error, Result, bail};
use crate::load::{LoadEvents, LoadProgress};

/// A result as the object that JSON of it would be.
pub fn to_js(value: &impl Serialize) -> Result<JsValue> {
    value.serialize(ToJs).map_err(|e| Error::Internal(format!("a result for JavaScript: {e}")))
}

/// Options of `index.js`, which has checked their names.
pub fn options<T: DeserializeOwned>(call: &str, options: JsValue) -> Result<T> {
    T::deserialize(FromJs(options)).map_err(|e| Error::InvalidArgument(format!("the options of {call}: {e}")))
}

/// Progress and abort of a load.
pub struct JsEvents {
    pub on_progress: Option<Function>,
    pub signal: Option<AbortSignal>,
}

impl LoadEvents for JsEvents {
    fn progress(&self, progress: LoadProgress) {
        let Some(call) = &self.on_progress else { return };
        let event = Object::new();
        let set = |key: &str, value: JsValue| {
            let _ = Reflect::set(&event, &key.into(), &value);
        };
        set("phase", progress.phase.name().into());
        set("fraction", progress.fraction.into());
        set("loaded", (progress.loaded as f64).into());
        set("total", (progress.total as f64).into());
        set("layer", progress.layer.map_or(JsValue::NULL, Into::into));
        // It is a function of `index.js`, which hands on what the caller's throws.
        let _ = call.call1(&JsValue::NULL, &event);
    }

    fn check(&self) -> Result<()> {
        if self.signal.as_ref().is_some_and(AbortSignal::aborted) {
            bail!(Aborted, "the load was aborted by the caller's signal");
        }
        Ok(())
    }
}
