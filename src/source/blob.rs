//! A `Blob` or `File` of the page.

use std::ops::Range;

use web_sys::Blob;

use super::body::{Body, failure};
use super::{ByteSource, Sink};
use crate::error::Result;

pub struct BlobSource(pub Blob);

impl ByteSource for BlobSource {
    fn len(&self) -> Option<u64> {
        Some(self.0.size() as u64)
    }

    async fn stream(&self, range: Range<u64>, sink: &mut Sink<'_>) -> Result<()> {
        let what = "the file";
        let slice =
            self.0.slice_with_f64_and_f64(range.start as f64, range.end as f64).map_err(|e| failure(what, &e))?;
        Body::new(&slice.stream(), range.start, what)?.stream(range, what, sink).await
    }
}
