//! A file as JavaScript reads it: `source.js` of the package has those of the web, of the cache and of Blobs.

use std::ops::Range;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{ByteSource, Chunk, Sink};
use crate::error::{Error, Result};

#[wasm_bindgen]
extern "C" {
    /// What `source.js` calls a file.
    pub type JsFile;
    /// Undefined until it is known.
    #[wasm_bindgen(method, getter)]
    fn size(this: &JsFile) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    fn ranges(this: &JsFile) -> bool;
    #[wasm_bindgen(method)]
    fn reader(this: &JsFile, start: f64, end: f64) -> Reader;

    type Reader;
    /// The next chunk, good until the next call; undefined at the end.
    #[wasm_bindgen(method)]
    fn read(this: &Reader) -> Promise;
    #[wasm_bindgen(method)]
    fn cancel(this: &Reader);
}

/// A file of JavaScript.
pub struct JsSource(pub JsFile);

/// A range that is left early stops its download.
struct Cancelled(Reader);

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl ByteSource for JsSource {
    fn len(&self) -> Option<u64> {
        self.0.size().map(|bytes| bytes as u64)
    }

    fn random_access(&self) -> bool {
        self.0.ranges()
    }

    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let reader = Cancelled(self.0.reader(range.start as f64, range.end as f64));
        loop {
            let chunk = JsFuture::from(reader.0.read()).await.map_err(|e| match Error::from_js(&e) {
                Error::Internal(why) => Error::FetchFailed(format!("the model's file can't be read: {why}")),
                coded => coded,
            })?;
            if chunk.is_undefined() {
                return Ok(());
            }
            sink.take(Chunk::Js(chunk.unchecked_ref::<Uint8Array>())).await?;
        }
    }
}
