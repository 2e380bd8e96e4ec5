//! Tokenizer and chat templates for JavaScript: of a loaded model, or of a file whose header alone was read.

use std::rc::Rc;

#[cfg(feature = "templates")]
use js_sys::Date;
use js_sys::{Array, Uint8Array, Uint32Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::calls::{JsEvents, to_js};
use crate::error::Result;
#[cfg(not(feature = "templates"))]
use crate::error::bail;
use crate::load::{LoadEvents, read_header};
use crate::source::{JsFile, JsSource, Split};
#[cfg(feature = "templates")]
use crate::tokenizer::chat::{CivilTime, Variables};
use crate::tokenizer::{DecodeOptions, EncodeOptions, Prompt, Text};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TextInfo<'a> {
    vocabulary_size: u32,
    end_tokens: &'a [u32],
    chat_templates: Vec<&'a str>,
    warnings: Vec<&'a str>,
}

/// The text side of a model file.
#[wasm_bindgen]
pub struct TextEngine {
    text: Rc<Text>,
}

impl TextEngine {
    pub(super) fn new(text: Rc<Text>) -> TextEngine {
        TextEngine { text }
    }
}

#[wasm_bindgen]
impl TextEngine {
    /// Read the header of the files of `source.js`.
    pub async fn load(files: Vec<JsFile>, signal: Option<AbortSignal>) -> Result<TextEngine, JsValue> {
        let events = JsEvents { on_progress: None, signal };
        events.check()?;
        let files = Split(files.into_iter().map(JsSource).collect());
        let (gguf, _) = read_header(&files, &events).await?;
        Ok(TextEngine::new(Rc::new(Text::from_gguf(&gguf.metadata)?)))
    }

    /// What there is to know of it.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let tokenizer = &self.text.tokenizer;
        Ok(to_js(&TextInfo {
            vocabulary_size: tokenizer.n_vocab(),
            end_tokens: tokenizer.end_of_generation(),
            chat_templates: self.text.chat_templates(),
            warnings: self.text.warnings().collect(),
        })?)
    }

    /// The tokens, for the wasm of formats: bytes, one after the other, none for those that are in no text; how many each
    /// has; the ids of those that end a text.
    #[must_use]
    pub fn vocabulary(&self) -> Array {
        let tokenizer = &self.text.tokenizer;
        let tokens: Vec<&[u8]> = (0..tokenizer.n_vocab()).map(|id| tokenizer.text_bytes(id)).collect();
        let lengths: Vec<u32> = tokens.iter().map(|bytes| bytes.len() as u32).collect();
        Array::of3(
            &Uint8Array::from(tokens.concat().as_slice()),
            &Uint32Array::from(lengths.as_slice()),
            &Uint32Array::from(tokenizer.end_of_generation()),
        )
    }

    #[must_use]
    pub fn tokenize(&self, text: &str, add_special: bool, parse_special: bool) -> Vec<u32> {
        self.text.tokenizer.encode(text, EncodeOptions { add_special, parse_special })
    }

    #[must_use]
    pub fn detokenize(&self, ids: &[u32], show_special: bool) -> String {
        self.text.tokenizer.decode(ids, DecodeOptions { show_special, ..DecodeOptions::default() })
    }

    /// The ids of a prompt to go on with.
    #[must_use]
    pub fn prompt_ids(&self, prompt: &str, parse_special: bool) -> Vec<u32> {
        if parse_special { self.text.prompt_ids(prompt) } else { self.text.plain_prompt_ids(prompt) }
    }

    /// The prompt that a chat template makes of its variables, a JSON object.
    pub fn format_chat(&self, variables: &str, template: Option<String>) -> Result<String, JsValue> {
        Ok(chat_prompt(&self.text, variables, template)?.text)
    }

    /// The ids of that prompt, in which the messages spell no special tokens.
    pub fn chat_ids(&self, variables: &str, template: Option<String>) -> Result<Vec<u32>, JsValue> {
        Ok(self.text.prompt_ids_after(&chat_prompt(&self.text, variables, template)?, &[]))
    }
}

/// The prompt that a template makes of the JSON of its variables.
#[cfg(feature = "templates")]
pub(super) fn chat_prompt(text: &Text, variables: &str, template: Option<String>) -> Result<Prompt> {
    text.format_chat(&Variables::from_json(variables)?, template.as_deref(), now())
}

/// What the user's clock shows.
#[cfg(feature = "templates")]
fn now() -> CivilTime {
    let date = Date::new_0();
    CivilTime::from_unix((date.get_time() / 1e3 - date.get_timezone_offset() * 60.0).floor() as i64)
}

#[cfg(not(feature = "templates"))]
pub(super) fn chat_prompt(_: &Text, _: &str, _: Option<String>) -> Result<Prompt> {
    bail!(Template, "this package was made for a model without a chat template: write the prompt yourself")
}
