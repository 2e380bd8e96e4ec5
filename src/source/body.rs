//! The body of a fetch or a Blob, read chunk by chunk.

use std::ops::Range;

use js_sys::{ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStream;

use super::{Chunk, Sink};
use crate::error::{Error, Result, bail};

#[wasm_bindgen]
extern "C" {
    type Stream;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &Stream, options: &Object) -> Result<Reader, JsValue>;

    /// A reader that fills buffers of ours, or, where the browser has none such, one that brings its own.
    type Reader;
    /// The latter ignores `into`.
    #[wasm_bindgen(method)]
    fn read(this: &Reader, into: &Uint8Array) -> Promise;
    #[wasm_bindgen(method)]
    fn cancel(this: &Reader) -> Promise;
}

/// Bytes read at a time, at most.
const CHUNK_BYTES: u32 = 1 << 18;

/// A stream of bytes of a file, and where in the file it is.
pub struct Body {
    reader: Reader,
    /// Memory that goes to the stream and comes back with bytes in it. Without it each chunk is garbage, and
    /// browsers let more than a hundred megabytes of that pile up.
    buffer: Option<ArrayBuffer>,
    reuses: bool,
    at: u64,
    /// What was read beyond the last range.
    left: Option<Uint8Array>,
}

impl Body {
    /// A stream whose first byte is byte `at` of the file.
    ///
    /// # Errors
    /// `FetchFailed` where the stream is already being read.
    pub fn new(stream: &ReadableStream, at: u64, what: &str) -> Result<Self> {
        let stream: &Stream = stream.unchecked_ref();
        let options = Object::new();
        let _ = Reflect::set(&options, &"mode".into(), &"byob".into());
        let (reader, reuses) = match stream.get_reader(&options) {
            Ok(reader) => (reader, true),
            Err(_) => (stream.get_reader(&Object::new()).map_err(|e| failure(what, &e))?, false),
        };
        Ok(Body { reader, buffer: None, reuses, at, left: None })
    }

    /// Hand the bytes of `range` to the sink; those before it are skipped. Stops short where the stream ends.
    ///
    /// # Errors
    /// `FetchFailed` where the connection breaks, `Aborted` by its signal; what the sink returns.
    pub async fn stream(&mut self, range: Range<u64>, what: &str, sink: &mut Sink<'_>) -> Result<()> {
        while self.at < range.end {
            let chunk = match self.left.take() {
                Some(chunk) => chunk,
                None => match self.read(what).await? {
                    Some(chunk) => chunk,
                    None => break,
                },
            };
            let len = u64::from(chunk.length());
            let skip = range.start.saturating_sub(self.at).min(len);
            let take = (range.end - self.at).min(len);
            if take > skip {
                sink(Chunk::Js(&chunk.subarray(skip as u32, take as u32)))?;
            }
            if take < len {
                self.left = Some(chunk.subarray(take as u32, len as u32));
            } else if self.reuses {
                self.buffer = Some(chunk.buffer());
            }
            self.at += take;
        }
        Ok(())
    }

    /// Take note that the stream ends here, so that its connection serves the next request.
    ///
    /// # Errors
    /// `FetchFailed` where more comes than was asked for.
    pub async fn end(mut self, what: &str) -> Result<()> {
        if self.left.is_some() || self.read(what).await?.is_some() {
            bail!(FetchFailed, "{what} can't be fetched: the server sends more than it was asked for");
        }
        Ok(())
    }

    async fn read(&mut self, what: &str) -> Result<Option<Uint8Array>> {
        let bytes = if self.reuses { CHUNK_BYTES } else { 0 };
        let into = Uint8Array::new(&self.buffer.take().unwrap_or_else(|| ArrayBuffer::new(bytes)));
        let result = JsFuture::from(self.reader.read(&into)).await.map_err(|e| failure(what, &e))?;
        let done = Reflect::get(&result, &"done".into()).is_ok_and(|d| d.is_truthy());
        if done {
            return Ok(None);
        }
        let value = Reflect::get(&result, &"value".into()).map_err(|e| failure(what, &e))?;
        Ok(Some(value.unchecked_into()))
    }
}

impl Drop for Body {
    /// A stream that is left early stops its download.
    fn drop(&mut self) {
        let cancelled = JsFuture::from(self.reader.cancel());
        // A stream that has failed refuses; the page must not hear of that as a rejection that nobody handles.
        wasm_bindgen_futures::spawn_local(async { drop(cancelled.await) });
    }
}

/// What a rejected promise of the browser means here.
pub fn failure(what: &str, e: &JsValue) -> Error {
    let text = |key: &str| Reflect::get(e, &key.into()).ok().and_then(|v| v.as_string());
    match text("name").as_deref() {
        Some("AbortError") => Error::Aborted(format!("{what}: aborted by the caller's signal")),
        _ => {
            let message = text("message").or_else(|| e.as_string()).unwrap_or_else(|| "unknown error".into());
            Error::FetchFailed(format!("{what} can't be read: {message}"))
        }
    }
}
