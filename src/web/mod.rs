//! The shell for JavaScript: no logic, only types turned into others. A family of models has a file; `index.js` of the
//! package makes the public API of it.

#[cfg(any(feature = "text", feature = "hands", feature = "speech"))]
mod calls;
#[cfg(feature = "constrain")]
mod constrain;
#[cfg(feature = "encoder")]
mod embed;
#[cfg(feature = "llm")]
mod fit;
#[cfg(any(feature = "text", feature = "hands", feature = "speech"))]
mod from_js;
#[cfg(feature = "hands")]
mod hands;
#[cfg(feature = "llm")]
mod inspect;
#[cfg(feature = "llm")]
mod llm;
#[cfg(feature = "speech")]
mod speech;
#[cfg(feature = "llm")]
mod text;
#[cfg(any(feature = "text", feature = "hands", feature = "speech"))]
mod to_js;

use std::cell::RefCell;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::*;

use crate::error::{Error, with_option_names};

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

/// Options of the library by their names in JavaScript.
const OPTION_NAMES: &[(&str, &str)] = &[
    #[cfg(any(feature = "llm", feature = "encoder"))]
    ("context_length", "contextLength"),
    #[cfg(feature = "llm")]
    ("kv_type", "kvCache"),
    #[cfg(feature = "llm")]
    ("max_tokens", "maxTokens"),
    #[cfg(feature = "llm")]
    ("top_p", "topP"),
    #[cfg(feature = "llm")]
    ("min_p", "minP"),
    #[cfg(feature = "llm")]
    ("repeat_penalty", "repeatPenalty"),
    #[cfg(feature = "hands")]
    ("max_hands", "maxHands"),
    #[cfg(feature = "hands")]
    ("min_detection_score", "minDetectionScore"),
    #[cfg(feature = "hands")]
    ("min_presence_score", "minPresenceScore"),
    #[cfg(feature = "hands")]
    ("min_cutoff", "minCutoff"),
    #[cfg(feature = "hands")]
    ("derivative_cutoff", "derivativeCutoff"),
];

/// A message of the library as JavaScript's developers read it.
fn in_javascript(message: &str) -> String {
    with_option_names(message, OPTION_NAMES)
}

impl Error {
    /// What the package's scripts throw: their own errors have a code.
    pub(crate) fn from_js(e: &JsValue) -> Error {
        let text = |key: &str| Reflect::get(e, &key.into()).ok().and_then(|v| v.as_string());
        let message = text("message").or_else(|| e.as_string()).unwrap_or_else(|| "unknown error".into());
        match text("code").as_deref() {
            Some("ABORTED") => Error::Aborted(message),
            Some("SOURCE_CHANGED") => Error::SourceChanged(message),
            Some("FETCH_FAILED") => Error::FetchFailed(message),
            Some("INVALID_ARGUMENT") => Error::InvalidArgument(message),
            Some("UNSUPPORTED_TOKENIZER") => Error::UnsupportedTokenizer(message),
            _ => Error::Internal(message),
        }
    }
}

/// An `Error` with a `code`, as every call here rejects with.
impl From<Error> for JsValue {
    fn from(e: Error) -> JsValue {
        let error = js_sys::Error::new(&in_javascript(&e.to_string()));
        error.set_name(if matches!(e, Error::Aborted(_)) { "AbortError" } else { "WebggufError" });
        let _ = Reflect::set(&error, &"code".into(), &e.code().into());
        error.into()
    }
}
