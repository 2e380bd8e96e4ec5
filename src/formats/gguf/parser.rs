//! The parser. Sans-I/O: it looks at the bytes there are and says how many it needs.

use std::fmt::Arguments;
use std::ops::Range;

use super::metadata::{Entry, Metadata, ValueType};
use super::{GgmlType, Gguf};
use crate::error::{Error, Result, bail};
use crate::order::{sort, twice};

/// The largest header read. The largest real ones (262,144 tokens with scores and merges) take 20 MB.
pub const MAX_HEADER_BYTES: u64 = 128 << 20;
/// More pairs than any known file by a factor of a hundred.
pub const MAX_METADATA_PAIRS: u64 = 10_000;
/// Large mixture-of-experts models have some 2,000 tensors.
pub const MAX_TENSORS: u64 = 100_000;
/// Longest key or tensor name (the spec allows 65,535 bytes for a key, ggml 63 for a tensor).
pub const MAX_NAME_BYTES: u64 = 65_535;
/// ggml's `GGML_MAX_DIMS`.
pub const MAX_DIMS: u32 = 4;
/// Arrays of arrays are in the spec and in no known file; this bounds the recursion.
pub const MAX_ARRAY_DEPTH: u32 = 4;

/// A tensor as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    pub ty: GgmlType,
    /// Outermost first, as everywhere in webgguf: a matrix is `[rows, cols]`. The file stores dims
    /// innermost first: a `w (N, K)` is written `K, N`, and this is the one place that turns them.
    pub shape: Vec<u64>,
    /// Where the data lies in the file, in bytes.
    pub file_range: Range<u64>,
}

impl TensorInfo {
    /// The number of elements; the parser has checked that it does not overflow.
    #[must_use]
    pub fn n_elems(&self) -> u64 {
        self.shape.iter().product()
    }

    /// Elements of a row, the contiguous innermost dimension.
    #[must_use]
    pub fn cols(&self) -> u64 {
        self.shape.last().copied().unwrap_or(1)
    }

    #[must_use]
    pub fn rows(&self) -> u64 {
        self.n_elems() / self.cols().max(1)
    }

    /// A matrix as two: its first `n` rows and the others.
    ///
    /// # Errors
    /// `MalformedGguf` where it has no more than `n` rows.
    pub fn split_rows(&self, n: u64) -> Result<(TensorInfo, TensorInfo)> {
        if n >= self.rows() {
            bail!(MalformedGguf, "tensor '{}' has {} rows, more than {n} are needed", self.name, self.rows());
        }
        let cut = self.file_range.start + n * self.ty.row_bytes(self.cols())?;
        let part = |rows, file_range| TensorInfo { shape: vec![rows, self.cols()], file_range, ..self.clone() };
        Ok((part(n, self.file_range.start..cut), part(self.rows() - n, cut..self.file_range.end)))
    }
}

/// What came of looking at the first bytes of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// The header goes on: at least this many bytes from the start of the file are needed. The bytes there
    /// are come back.
    NeedBytes { n: u64, head: Vec<u8> },
    /// The header, and what follows it of the bytes: `rest` starts at `data_offset` of the file.
    Done { gguf: Box<Gguf>, rest: Vec<u8> },
}

/// Parse the header in `head`, the first bytes of a file. `file_len` is the file's size where known:
/// tensors beyond it are errors then.
///
/// # Errors
/// `MalformedGguf` as soon as the bytes at hand show it.
pub fn parse(mut head: Vec<u8>, file_len: Option<u64>) -> Result<Parsed> {
    let mut cursor = Cursor { head: &head, at: 0, file_len };
    match cursor.gguf() {
        Ok(mut gguf) => {
            let rest = head.get(gguf.data_offset as usize..).unwrap_or_default().to_vec();
            head.truncate(cursor.at);
            gguf.metadata.header = head;
            Ok(Parsed::Done { gguf: Box::new(gguf), rest })
        }
        Err(Stop::Need(n)) if n > MAX_HEADER_BYTES => {
            bail!(MalformedGguf, "the header needs {n} bytes or more, {MAX_HEADER_BYTES} are allowed")
        }
        Err(Stop::Need(n)) => match file_len {
            Some(len) if n > len => {
                bail!(MalformedGguf, "the file ends at byte {len}, its header needs {n} or more (truncated?)")
            }
            _ => Ok(Parsed::NeedBytes { n, head }),
        },
        Err(Stop::Error(e)) => Err(e),
    }
}

enum Stop {
    Need(u64),
    Error(Error),
}

impl From<Error> for Stop {
    fn from(e: Error) -> Self {
        Stop::Error(e)
    }
}

macro_rules! malformed {
    ($($arg:tt)*) => { return Err(Stop::Error(Error::MalformedGguf(format!($($arg)*)))) };
}

struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
    file_len: Option<u64>,
}

impl Cursor<'_> {
    fn take(&mut self, n: u64) -> Result<Range<usize>, Stop> {
        let end = (self.at as u64).saturating_add(n);
        if end > self.head.len() as u64 {
            return Err(Stop::Need(end));
        }
        let range = self.at..end as usize;
        self.at = end as usize;
        Ok(range)
    }

    fn u32(&mut self) -> Result<u32, Stop> {
        let range = self.take(4)?;
        Ok(u32::from_le_bytes(self.head[range].try_into().expect("four bytes")))
    }

    fn u64(&mut self) -> Result<u64, Stop> {
        let range = self.take(8)?;
        Ok(u64::from_le_bytes(self.head[range].try_into().expect("eight bytes")))
    }

    /// A count of things that take at least `min_bytes` each: absurd counts fail before any is read.
    /// `what` is spelt out for errors only: a vocabulary has a hundred thousand strings.
    fn count(&mut self, what: Arguments<'_>, min_bytes: u64, max: u64) -> Result<u64, Stop> {
        let n = self.u64()?;
        if n > max {
            malformed!("{what} is {n}, at most {max} is allowed");
        }
        let end = n.saturating_mul(min_bytes).saturating_add(self.at as u64);
        if let Some(len) = self.file_len.filter(|&len| end > len) {
            malformed!("{what} is {n}, which takes {end} bytes or more; the file has {len}");
        }
        Ok(n)
    }

    fn string(&mut self, what: Arguments<'_>, max_bytes: u64) -> Result<Range<usize>, Stop> {
        let len = self.count(format_args!("the length of {what}"), 1, max_bytes)?;
        self.take(len)
    }

    fn name(&mut self, what: &str) -> Result<Range<usize>, Stop> {
        let range = self.string(format_args!("{what}"), MAX_NAME_BYTES)?;
        if std::str::from_utf8(&self.head[range.clone()]).is_err() {
            malformed!("{what} is not UTF-8");
        }
        Ok(range)
    }

    fn value_type(&mut self, key: &str) -> Result<ValueType, Stop> {
        let id = self.u32()?;
        match ValueType::from_id(id) {
            Some(ty) => Ok(ty),
            None => malformed!("metadata '{key}' has type {id}, 0 to 12 are known"),
        }
    }

    /// Element type, count and the elements' bytes of an array.
    fn array(&mut self, key: &str, depth: u32) -> Result<(ValueType, usize, Range<usize>), Stop> {
        if depth > MAX_ARRAY_DEPTH {
            malformed!("metadata '{key}' nests arrays deeper than {MAX_ARRAY_DEPTH}");
        }
        let ty = self.value_type(key)?;
        let min_bytes = ty.size().unwrap_or(8) as u64;
        let len = self.count(format_args!("the length of array '{key}'"), min_bytes, MAX_HEADER_BYTES / min_bytes)?;
        let start = self.at;
        match ty {
            ValueType::String => {
                for _ in 0..len {
                    self.string(format_args!("a string of '{key}'"), MAX_HEADER_BYTES)?;
                }
            }
            ValueType::Array => {
                for _ in 0..len {
                    self.array(key, depth + 1)?;
                }
            }
            _ => {
                self.take(len * min_bytes)?;
            }
        }
        Ok((ty, len as usize, start..self.at))
    }

    fn pair(&mut self) -> Result<Entry, Stop> {
        let key = self.name("a metadata key")?;
        let name = String::from_utf8_lossy(&self.head[key.clone()]).into_owned();
        let ty = self.value_type(&name)?;
        let (array, bytes) = match ty {
            ValueType::String => (None, self.string(format_args!("metadata '{name}'"), MAX_HEADER_BYTES)?),
            ValueType::Array => {
                let (element, len, bytes) = self.array(&name, 1)?;
                (Some((element, len)), bytes)
            }
            _ => (None, self.take(ty.size().expect("fixed size") as u64)?),
        };
        Ok(Entry { key, ty, array, bytes })
    }

    /// A tensor info; its range is relative to the start of the data until `gguf` moves it.
    fn tensor(&mut self, alignment: u64) -> Result<TensorInfo, Stop> {
        let name = self.name("a tensor name")?;
        let name = String::from_utf8_lossy(&self.head[name]).into_owned();
        let n_dims = self.u32()?;
        if n_dims > MAX_DIMS {
            malformed!("tensor '{name}' has {n_dims} dimensions, at most {MAX_DIMS} are allowed");
        }
        let mut shape = Vec::new();
        for _ in 0..n_dims {
            shape.push(self.u64()?);
        }
        shape.reverse();
        let id = self.u32()?;
        let Some(ty) = GgmlType::from_id(id) else {
            malformed!("tensor '{name}' has type {id}, which is not a known ggml type");
        };
        let offset = self.u64()?;
        if offset % alignment != 0 {
            malformed!("tensor '{name}' starts at {offset}, a multiple of {alignment} is needed");
        }
        if shape.contains(&0) {
            malformed!("tensor '{name}' has shape {shape:?}, every dimension must be 1 or more");
        }
        // Twice the largest product a file of 2^60 bytes could hold.
        let n_elems = shape.iter().try_fold(1u64, |a, &b| a.checked_mul(b)).filter(|&n| n < 1 << 61);
        let Some(n_elems) = n_elems else {
            malformed!("tensor '{name}' has shape {shape:?}, whose size overflows");
        };
        let cols = shape.last().copied().unwrap_or(1);
        let row_bytes = match ty.row_bytes(cols) {
            Ok(bytes) => bytes,
            Err(e) => malformed!("tensor '{name}': {e}"),
        };
        let end = (n_elems / cols).checked_mul(row_bytes).and_then(|n| n.checked_add(offset)).filter(|&n| n < 1 << 62);
        let Some(end) = end else {
            malformed!("tensor '{name}' of shape {shape:?} at {offset} ends beyond any file");
        };
        Ok(TensorInfo { name, ty, shape, file_range: offset..end })
    }

    /// `general.alignment` of the tensors' data, in bytes.
    fn alignment(&self, entries: &[Entry]) -> Result<u64, Stop> {
        let key = b"general.alignment";
        let Some(entry) = entries.iter().find(|e| &self.head[e.key.clone()] == key) else { return Ok(32) };
        let bytes = &self.head[entry.bytes.clone()];
        let value = if entry.ty == ValueType::U32 { bytes.try_into().ok().map(u32::from_le_bytes) } else { None };
        match value {
            Some(n) if n.is_power_of_two() && (8..=1 << 20).contains(&n) => Ok(n.into()),
            found => malformed!(
                "metadata 'general.alignment' is {:?} {found:?}, a u32 power of two from 8 to 1048576 is needed",
                entry.ty
            ),
        }
    }

    fn gguf(&mut self) -> Result<Gguf, Stop> {
        let magic = self.take(4)?;
        let magic = &self.head[magic];
        if magic != b"GGUF" {
            malformed!("the file starts with {:?}, a GGUF file starts with \"GGUF\"", String::from_utf8_lossy(magic));
        }
        let version = self.u32()?;
        if version.swap_bytes() == 2 || version.swap_bytes() == 3 {
            malformed!("the file is big-endian GGUF, only little-endian is supported");
        }
        if !(2..=3).contains(&version) {
            malformed!("the file is GGUF version {version}, 2 and 3 are supported");
        }
        // name length, n_dims, one dim, type, offset
        let n_tensors = self.count(format_args!("the tensor count"), 8 + 4 + 8 + 4 + 8, MAX_TENSORS)?;
        // key length, type, one byte
        let n_pairs = self.count(format_args!("the metadata count"), 8 + 4 + 1, MAX_METADATA_PAIRS)?;

        let mut entries = Vec::new();
        for _ in 0..n_pairs {
            entries.push(self.pair()?);
        }
        let key = |i: usize| &self.head[entries[i].key.clone()];
        if let Some(i) = twice(entries.len(), &|i, j| key(i).cmp(key(j))) {
            malformed!("metadata '{}' is there twice", String::from_utf8_lossy(key(i)));
        }
        let alignment = self.alignment(&entries)?;

        let mut tensors = Vec::new();
        for _ in 0..n_tensors {
            tensors.push(self.tensor(alignment)?);
        }
        let data_offset = (self.at as u64).next_multiple_of(alignment);
        for t in &mut tensors {
            t.file_range = t.file_range.start + data_offset..t.file_range.end + data_offset;
            if let Some(len) = self.file_len.filter(|&len| t.file_range.end > len) {
                malformed!("tensor '{}' ends at byte {}, the file at {len} (truncated?)", t.name, t.file_range.end);
            }
        }
        if let Some(i) = twice(tensors.len(), &|i, j| tensors[i].name.cmp(&tensors[j].name)) {
            malformed!("tensor '{}' is there twice", tensors[i].name);
        }
        let mut order: Vec<&TensorInfo> = tensors.iter().collect();
        sort(&mut order, |a, b| a.file_range.start < b.file_range.start);
        for pair in order.windows(2) {
            if pair[0].file_range.end > pair[1].file_range.start {
                malformed!("tensors '{}' and '{}' overlap in the file", pair[0].name, pair[1].name);
            }
        }
        // `parse` gives the metadata its bytes.
        let metadata = Metadata { header: Vec::new(), entries };
        Ok(Gguf { version, metadata, tensors, data_offset })
    }
}
