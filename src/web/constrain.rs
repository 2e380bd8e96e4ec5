//! Formats of replies for JavaScript: the wasm that a page fetches when a call first asks for one.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use crate::constrain::{Constrained, Format, Vocabulary};
use crate::error::{Result, bail};

/// The tokens of a model.
#[wasm_bindgen(js_name = Vocabulary)]
pub struct JsVocabulary(Rc<Vocabulary>);

#[wasm_bindgen(js_class = Vocabulary)]
impl JsVocabulary {
    /// Of what the model's wasm says of its tokens: their bytes, one after the other, how many each has, and those that end
    /// a text.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], lengths: &[u32], ends: Vec<u32>) -> Result<JsVocabulary, JsValue> {
        Ok(JsVocabulary(vocabulary(bytes, lengths, ends)?))
    }

    /// A reply of a format; `may_stop` if an end token may end it.
    pub fn begin(
        &self,
        kind: &str,
        text: String,
        choices: Vec<String>,
        may_stop: bool,
    ) -> Result<JsConstrained, JsValue> {
        Ok(JsConstrained(self.0.begin(Format::from_name(kind, text, choices)?, may_stop)?))
    }
}

fn vocabulary(bytes: &[u8], lengths: &[u32], ends: Vec<u32>) -> Result<Rc<Vocabulary>> {
    let mut rest = bytes;
    let mut tokens = Vec::with_capacity(lengths.len());
    for (id, &length) in lengths.iter().enumerate() {
        let Some((token, more)) = rest.split_at_checked(length as usize) else {
            bail!(Internal, "token {id} has {length} bytes; {} are left of the vocabulary", rest.len());
        };
        tokens.push(token);
        rest = more;
    }
    Ok(Vocabulary::new(tokens.len() as u32, |id| tokens[id as usize], ends))
}

/// A reply, token by token: what `Constraint` of the model's wasm asks.
#[wasm_bindgen(js_name = Constrained)]
pub struct JsConstrained(Constrained);

#[wasm_bindgen(js_class = Constrained)]
impl JsConstrained {
    pub fn allowed(&mut self) -> Result<Vec<u32>, JsValue> {
        Ok(self.0.allowed()?)
    }

    pub fn accept(&mut self, bytes: &[u8]) -> Result<bool, JsValue> {
        Ok(self.0.accept(bytes)?)
    }

    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }
}
