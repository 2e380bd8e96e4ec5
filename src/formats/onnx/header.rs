//! What is kept of a file: all but the data of tensors. A place in it is not the place in the file, but behind the cuts.

use std::cell::Cell;
use std::ops::Range;

use crate::error::{Result, bail};

/// What a file's description may take in memory. A network of 3,600 nodes takes 3 MB.
pub const MAX_MODEL_BYTES: usize = 32 << 20;

/// Fields that are smaller are kept: scalars and shapes are read without going back for them.
pub(super) const MIN_CUT_BYTES: u64 = 1024;

/// A file without the data that has been skipped.
#[derive(Debug)]
pub(super) struct Header {
    pub bytes: Vec<u8>,
    pub cuts: Vec<Cut>,
    /// What may still be taken into memory.
    budget: Cell<usize>,
}

impl Default for Header {
    fn default() -> Self {
        Header { bytes: Vec::new(), cuts: Vec::new(), budget: Cell::new(MAX_MODEL_BYTES) }
    }
}

/// A place where the content of a field has been skipped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// In the header's bytes.
    at: usize,
    n_bytes: u64,
    /// Bytes of this one and all before it.
    total: u64,
}

impl Cut {
    /// One of `n_bytes` behind what is there.
    pub fn after(header: &Header, n_bytes: u64) -> Cut {
        let before = header.cuts.last().map_or(0, |cut| cut.total);
        Cut { at: header.bytes.len(), n_bytes, total: before + n_bytes }
    }

    /// In the file.
    fn end(&self) -> u64 {
        self.at as u64 + self.total
    }
}

impl Header {
    /// Bytes of the cuts that `is_before` holds for; cuts are in order.
    fn cut_bytes(&self, is_before: impl Fn(&Cut) -> bool) -> u64 {
        match self.cuts.partition_point(is_before) {
            0 => 0,
            n => self.cuts[n - 1].total,
        }
    }

    /// The content of `n_bytes` of a field that begins at `at` of the header.
    pub fn content(&self, at: usize, n_bytes: u64) -> Content {
        let start = at as u64 + self.cut_bytes(|cut| cut.at < at);
        let end = start.saturating_add(n_bytes);
        let header_end = end.saturating_sub(self.cut_bytes(|cut| cut.end() <= end));
        let first_cut = self.cuts.get(self.cuts.partition_point(|cut| cut.at < at));
        let is_cut = first_cut.is_some_and(|cut| cut.at == at && cut.n_bytes == n_bytes);
        Content { kept: (at, usize::try_from(header_end).unwrap_or(usize::MAX)), file: start..end, is_cut }
    }

    /// Note how many bytes are about to be taken into memory.
    pub fn charge(&self, bytes: usize) -> Result<()> {
        match self.budget.get().checked_sub(bytes) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            None => bail!(MalformedOnnx, "what the file describes takes more than {MAX_MODEL_BYTES} bytes of memory"),
        }
    }
}

/// The content of a field that has a length.
#[derive(Debug, Clone)]
pub(super) struct Content {
    /// In the header's bytes.
    pub kept: (usize, usize),
    /// In the file.
    pub file: Range<u64>,
    pub is_cut: bool,
}
