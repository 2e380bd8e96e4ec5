//! Where a file's bytes come from: ranges of memory, a file, several files, what JavaScript has.

#[cfg(not(target_arch = "wasm32"))]
mod file;
#[cfg(target_arch = "wasm32")]
mod js;
mod memory;
mod split;

use std::ops::Range;

#[cfg(not(target_arch = "wasm32"))]
pub use file::FileSource;
#[cfg(target_arch = "wasm32")]
pub use js::{JsFile, JsSource};
pub use memory::MemorySource;
pub use split::{PART_STRIDE, Split};

use crate::error::Result;

/// Some bytes on their way to the GPU.
pub enum Chunk<'a> {
    Bytes(&'a [u8]),
    /// In JavaScript's memory, where they came in: they go to the GPU from there.
    #[cfg(target_arch = "wasm32")]
    Js(&'a js_sys::Uint8Array),
}

impl Chunk<'_> {
    /// One of the bytes.
    #[must_use]
    pub fn byte(&self, i: usize) -> u8 {
        match self {
            Chunk::Bytes(b) => b[i],
            #[cfg(target_arch = "wasm32")]
            Chunk::Js(b) => b.get_index(i as u32),
        }
    }

    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        match self {
            Chunk::Bytes(b) => bytes.extend_from_slice(b),
            #[cfg(target_arch = "wasm32")]
            Chunk::Js(b) => {
                let start = bytes.len();
                bytes.resize(start + b.length() as usize, 0);
                b.copy_to(&mut bytes[start..]);
            }
        }
    }

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

/// Takes the chunks of a range, in order. The next one is not asked for while a chunk is being taken.
#[allow(async_fn_in_trait, reason = "single-threaded: futures need not be Send")]
pub trait Sink {
    /// # Errors
    /// What ends the range.
    async fn take(&mut self, chunk: Chunk<'_>) -> Result<()>;
}

impl<F: FnMut(Chunk<'_>) -> Result<()>> Sink for F {
    async fn take(&mut self, chunk: Chunk<'_>) -> Result<()> {
        self(chunk)
    }
}

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

    /// How many files the source is of; those of a split model have their own addresses, see [`Split`].
    fn n_parts(&self) -> usize {
        1
    }

    /// The size of one of them, where it is known.
    fn part_len(&self, _part: usize) -> Option<u64> {
        self.len()
    }

    /// Whether ranges can be asked for in any order, several at once.
    fn random_access(&self) -> bool {
        true
    }

    /// Hand every byte of the range to the sink; of a file that ends inside it, those there are.
    ///
    /// # Errors
    /// `FetchFailed` where they can't be had; `Aborted`; what the sink returns.
    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()>;
}

/// A source some of whose bytes are here already: what was read with the headers and is not of them.
pub struct Buffered<'a, S> {
    pub source: &'a S,
    /// Where in the source the bytes start, and the bytes.
    pub here: Vec<(u64, Vec<u8>)>,
}

impl<S: ByteSource> ByteSource for Buffered<'_, S> {
    fn len(&self) -> Option<u64> {
        self.source.len()
    }

    fn random_access(&self) -> bool {
        self.source.random_access()
    }

    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()> {
        let mut from = range.start;
        for (start, bytes) in &self.here {
            let here = *start..start + bytes.len() as u64;
            if here.contains(&from) {
                let end = range.end.min(here.end);
                sink.take(Chunk::Bytes(&bytes[(from - here.start) as usize..(end - here.start) as usize])).await?;
                from = end;
            }
        }
        if from < range.end { self.source.stream(from..range.end, sink).await } else { Ok(()) }
    }
}
