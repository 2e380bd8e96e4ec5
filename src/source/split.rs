//! A model that is split into several files.

use std::ops::Range;

use super::{ByteSource, Sink};
use crate::error::{Result, bail};

/// The files of a model. Byte `b` of file `i` has the address `i * PART_STRIDE + b`.
pub struct Split<S>(pub Vec<S>);

/// More than any file's size, so that a file's address does not depend on the others' sizes.
pub const PART_STRIDE: u64 = 1 << 44;

impl<S: ByteSource> ByteSource for Split<S> {
    fn len(&self) -> Option<u64> {
        self.0.iter().map(ByteSource::len).sum()
    }

    fn n_parts(&self) -> usize {
        self.0.len()
    }

    fn part_len(&self, part: usize) -> Option<u64> {
        self.0.get(part).and_then(ByteSource::len)
    }

    fn random_access(&self) -> bool {
        self.0.iter().all(ByteSource::random_access)
    }

    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()> {
        let part = range.start / PART_STRIDE;
        let base = part * PART_STRIDE;
        match self.0.get(part as usize) {
            Some(file) if range.end <= base + PART_STRIDE => {
                file.stream(range.start - base..range.end - base, sink).await
            }
            _ => bail!(Internal, "bytes {range:?} are of no one file of {}", self.0.len()),
        }
    }
}
