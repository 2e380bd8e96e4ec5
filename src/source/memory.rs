//! A file in memory.

use std::ops::Range;

use super::{ByteSource, Chunk, Sink};
use crate::error::Result;

/// Bytes that are already here.
pub struct MemorySource(pub Vec<u8>);

impl ByteSource for MemorySource {
    fn len(&self) -> Option<u64> {
        Some(self.0.len() as u64)
    }

    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()> {
        let end = range.end.min(self.0.len() as u64);
        sink.take(Chunk::Bytes(self.0.get(range.start as usize..end as usize).unwrap_or_default())).await
    }
}
