//! A file on a web server: by Range requests, or, where the server has none, as one stream.

use std::cell::RefCell;
use std::ops::Range;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

use super::body::{Body, failure};
use super::{ByteSource, Sink};
use crate::error::{Result, bail};

#[wasm_bindgen]
extern "C" {
    /// The page's or the worker's.
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(url: &str, init: &RequestInit) -> Promise;
}

/// Asked for first: what `read_header` reads at least.
const FIRST_BYTES: u64 = 1 << 20;

pub struct HttpSource {
    url: String,
    signal: Option<AbortSignal>,
    len: Option<u64>,
    ranges: bool,
    /// The first response; of a server without ranges, the whole file.
    first: RefCell<Option<Body>>,
}

impl HttpSource {
    /// Ask for the file's first bytes, and learn from the answer its size and whether ranges work.
    ///
    /// # Errors
    /// `FetchFailed` with the status or the reason; `Aborted`.
    pub async fn open(url: String, signal: Option<AbortSignal>) -> Result<Self> {
        let response = request(&url, &(0..FIRST_BYTES), signal.as_ref()).await?;
        let header = |name: &str| response.headers().get(name).ok().flatten();
        let (ranges, len) = match response.status() {
            206 => {
                // Not exposed across origins unless the server says so: then the size stays unknown.
                let total = header("content-range").and_then(|v| v.rsplit_once('/')?.1.parse().ok());
                (true, total)
            }
            200 => {
                // The size of a compressed body is not the file's.
                let plain = header("content-encoding").is_none();
                (false, header("content-length").filter(|_| plain).and_then(|v| v.parse().ok()))
            }
            status => bail!(FetchFailed, "'{url}' can't be fetched: the server answered {status}"),
        };
        let first = body(&response, 0, &url)?;
        Ok(HttpSource { url, signal, len, ranges, first: RefCell::new(Some(first)) })
    }
}

async fn request(url: &str, range: &Range<u64>, signal: Option<&AbortSignal>) -> Result<Response> {
    let init = RequestInit::new();
    let headers = Headers::new().map_err(|e| failure(url, &e))?;
    let value = format!("bytes={}-{}", range.start, range.end - 1);
    headers.set("Range", &value).map_err(|e| failure(url, &e))?;
    init.set_headers(&headers);
    init.set_signal(signal);
    let response = JsFuture::from(fetch(url, &init)).await.map_err(|e| failure(&format!("'{url}'"), &e))?;
    Ok(response.unchecked_into())
}

fn body(response: &Response, at: u64, url: &str) -> Result<Body> {
    match response.body() {
        Some(stream) => Body::new(&stream, at, url),
        None => bail!(FetchFailed, "'{url}' can't be fetched: the answer has no body"),
    }
}

impl ByteSource for HttpSource {
    fn len(&self) -> Option<u64> {
        self.len
    }

    fn random_access(&self) -> bool {
        self.ranges
    }

    async fn stream(&self, range: Range<u64>, sink: &mut Sink<'_>) -> Result<()> {
        let what = format!("'{}'", self.url);
        if !self.ranges {
            let Some(mut stream) = self.first.take() else {
                bail!(Internal, "{what} is read twice at a time, and its server has no ranges")
            };
            let result = stream.stream(range, &what, sink).await;
            self.first.replace(Some(stream));
            return result;
        }
        let mut range = range;
        let first = if range.start == 0 { self.first.take() } else { None };
        if let Some(mut first) = first {
            let end = range.end.min(FIRST_BYTES);
            first.stream(0..end, &what, sink).await?;
            if end == FIRST_BYTES {
                first.end(&what).await?;
            }
            range.start = end;
        }
        // The file may be known to end before the range does.
        range.end = range.end.min(self.len.unwrap_or(u64::MAX));
        if range.is_empty() {
            return Ok(());
        }
        let response = request(&self.url, &range, self.signal.as_ref()).await?;
        if response.status() != 206 {
            bail!(FetchFailed, "{what} can't be fetched: the server answered {} to a range", response.status());
        }
        let mut body = body(&response, range.start, &self.url)?;
        body.stream(range, &what, sink).await?;
        body.end(&what).await
    }
}
