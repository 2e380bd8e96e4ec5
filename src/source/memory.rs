//! A file in memory.

use std::ops::Range;

use super::{ByteSource, Chunk, Sink};
use crate::error::{Result, bail};

/// Bytes that are already here.
pub struct MemorySource(pub Vec<u8>);

impl ByteSource for MemorySource {
    fn len(&self) -> Option<u64> {
        Some(self.0.len() as u64)
    }

    async fn head(&self, n: u64) -> Result<Vec<u8>> {
        let n = n.min(self.0.len() as u64) as usize;
        Ok(self.0[..n].to_vec())
    }

    async fn stream(&self, range: Range<u64>, sink: &mut Sink<'_>) -> Result<()> {
        match self.0.get(range.start as usize..range.end as usize) {
            Some(bytes) => sink(Chunk::Bytes(bytes)),
            None => bail!(FetchFailed, "bytes {range:?} were asked of {} in memory", self.0.len()),
        }
    }
}
