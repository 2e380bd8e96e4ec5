//! GGUF: parsing and writing without I/O. Knows nothing of GPU or JavaScript.
//!
//! The format, little-endian throughout (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>):
//!
//! 1. magic `GGUF`, version u32 (2 or 3), tensor count u64, metadata count u64
//! 2. metadata, each: key (string), value type u32, value
//! 3. tensor infos, each: name (string), n_dims u32, dims u64 each (innermost first), type u32,
//!    offset u64 from the start of the data
//! 4. padding to `general.alignment` (32 where absent)
//! 5. tensor data
//!
//! A string is a u64 length and its bytes; an array is an element type u32, a u64 count and the
//! elements. Everything in the file is hostile until checked.

mod dequantize;
mod ggml_type;
mod metadata;
mod parser;
mod split;
mod writer;
mod written;

pub use dequantize::dequantize;
pub use ggml_type::GgmlType;
pub use metadata::{Array, Metadata, Value, ValueType};
pub use parser::{MAX_HEADER_BYTES, Parsed, TensorInfo, parse};
pub use split::join;
pub use writer::GgufWriter;
pub use written::{NewTensor, write};

use crate::error::{Error, Result};

/// The header of a GGUF file: everything but the tensors' data.
#[derive(Debug, Clone, PartialEq)]
pub struct Gguf {
    pub version: u32,
    pub metadata: Metadata,
    pub tensors: Vec<TensorInfo>,
    /// Where the tensors' data starts in the file, in bytes.
    pub data_offset: u64,
}

impl Gguf {
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// # Errors
    /// `MalformedGguf` naming the tensor that is missing.
    pub fn require(&self, name: &str) -> Result<&TensorInfo> {
        self.tensor(name).ok_or_else(|| Error::MalformedGguf(format!("tensor '{name}' is missing from the file")))
    }

    /// `general.architecture`.
    ///
    /// # Errors
    /// `MalformedGguf` where it is missing or not a string.
    pub fn architecture(&self) -> Result<&str> {
        self.metadata
            .str("general.architecture")?
            .ok_or_else(|| Error::MalformedGguf("metadata 'general.architecture' is missing".into()))
    }

    /// Add to every address: where the file starts among others.
    pub fn move_by(&mut self, bytes: u64) {
        for t in &mut self.tensors {
            t.file_range = t.file_range.start + bytes..t.file_range.end + bytes;
        }
        self.data_offset += bytes;
    }

    /// The file's size as its header promises, in bytes.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.tensors.iter().map(|t| t.file_range.end).max().unwrap_or(self.data_offset)
    }

    /// The number of weights.
    #[must_use]
    pub fn n_params(&self) -> u64 {
        self.tensors.iter().map(TensorInfo::n_elems).sum()
    }
}
