//! What a file says of itself, for JavaScript.

use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::calls::{JsEvents, to_js};
use crate::llm::{Inspection, LoadOptions};
use crate::load::{LoadEvents, read_header};
use crate::source::{ByteSource, JsFile, JsSource, Split};

/// What the header of these files says.
#[wasm_bindgen]
pub async fn inspect(files: Vec<JsFile>, signal: Option<AbortSignal>) -> Result<JsValue, JsValue> {
    let events = JsEvents { on_progress: None, signal };
    events.check()?;
    let files = Split(files.into_iter().map(JsSource).collect());
    let (gguf, _) = read_header(&files, &events).await?;
    Ok(to_js(&Inspection::new(&gguf, files.len(), &LoadOptions::default()))?)
}
