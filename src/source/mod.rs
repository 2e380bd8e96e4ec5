//! Where a file's bytes come from: ranges of memory, a file, a Blob, an HTTP resource.

#[cfg(not(target_arch = "wasm32"))]
mod file;
mod memory;

use std::ops::Range;

#[cfg(not(target_arch = "wasm32"))]
pub use file::FileSource;
pub use memory::MemorySource;

use crate::error::Result;

/// Some bytes on their way to the GPU.
pub enum Chunk<'a> {
    Bytes(&'a [u8]),
    /// In JavaScript's memory, where they came in: they go to the GPU from there.
    #[cfg(target_arch = "wasm32")]
    Js(&'a js_sys::Uint8Array),
}

impl Chunk<'_> {
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Chunk::Bytes(b) => b.len(),
            #[cfg(target_arch = "wasm32")]
            Chunk::Js(b) => b.length() as usize,
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Takes the chunks of a range, in order.
pub type Sink<'a> = dyn FnMut(Chunk<'_>) -> Result<()> + 'a;

/// A file that can be read in ranges.
///
/// A source that is not `random_access` is one stream: it is read from the start, then asked for ascending
/// ranges, one at a time.
#[allow(async_fn_in_trait, reason = "single-threaded: futures need not be Send")]
pub trait ByteSource {
    /// The file's size, where it is known.
    fn len(&self) -> Option<u64>;

    fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Whether ranges can be asked for in any order, several at once.
    fn random_access(&self) -> bool {
        true
    }

    /// The first `n` bytes, or the whole file where it is shorter.
    ///
    /// # Errors
    /// `FetchFailed` where they can't be had; `Aborted`.
    async fn head(&self, n: u64) -> Result<Vec<u8>>;

    /// Hand every byte of the range to the sink.
    ///
    /// # Errors
    /// `FetchFailed` where they can't be had whole; `Aborted`; what the sink returns.
    async fn stream(&self, range: Range<u64>, sink: &mut Sink<'_>) -> Result<()>;
}
