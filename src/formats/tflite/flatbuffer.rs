//! FlatBuffers, read with checks (<https://flatbuffers.dev/internals/>): little-endian, a table is at a position and
//! finds its fields by a vtable, and what is not a number is an offset ahead. A field that the vtable lacks has the
//! schema's default value.
//!
//! Each offset is checked against the file's bytes when it is followed. The schema has no table inside itself, so that
//! nothing here recurses. Hostile lists can name one table a million times; so all that is taken into memory is first
//! taken from a budget.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use crate::error::{Error, Result, bail};

/// What a file's description may take in memory. A language model of 20,000 tensors takes 10 MB.
pub const MAX_MODEL_BYTES: usize = 32 << 20;
/// Offsets are 32 bits wide, and signed ones are among them.
pub const MAX_FILE_BYTES: usize = i32::MAX as usize;

/// A field of a table: its place in the schema from 0, and its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field(pub u16, pub &'static str);

/// Which table it is, for errors: `the quantisation of tensor 3 of subgraph 0`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    part: Option<&'static str>,
    name: &'static str,
    index: Option<usize>,
    subgraph: Option<usize>,
}

impl Place {
    pub fn only(name: &'static str) -> Place {
        Place { part: None, name, index: None, subgraph: None }
    }

    pub fn nth(name: &'static str, index: usize) -> Place {
        Place { index: Some(index), ..Place::only(name) }
    }

    pub fn of_subgraph(self, subgraph: usize) -> Place {
        Place { subgraph: Some(subgraph), ..self }
    }

    pub fn part(self, part: &'static str) -> Place {
        Place { part: Some(part), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(part) = self.part {
            write!(f, "{part} of ")?;
        }
        f.write_str(self.name)?;
        if let Some(index) = self.index {
            write!(f, " {index}")?;
        }
        match self.subgraph {
            Some(subgraph) => write!(f, " of subgraph {subgraph}"),
            None => Ok(()),
        }
    }
}

/// A number of fixed size.
pub(super) trait Scalar: Copy {
    const BYTES: usize;

    /// The first `BYTES` bytes, which are there.
    fn of(bytes: &[u8]) -> Self;
}

macro_rules! scalars {
    ($($ty:ty),*) => { $(
        impl Scalar for $ty {
            const BYTES: usize = size_of::<$ty>();

            fn of(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$ty>()];
                own.copy_from_slice(&bytes[..size_of::<$ty>()]);
                <$ty>::from_le_bytes(own)
            }
        }
    )* };
}
scalars!(u8, i8, u16, u32, i32, u64, i64, f32);

impl Scalar for bool {
    const BYTES: usize = 1;

    fn of(bytes: &[u8]) -> Self {
        bytes[0] != 0
    }
}

/// What may still be taken into memory.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub fn new() -> Budget {
        Budget(Cell::new(MAX_MODEL_BYTES))
    }

    /// Note how many bytes are about to be taken.
    pub fn charge(&self, bytes: usize, what: fmt::Arguments<'_>) -> Result<()> {
        match self.0.get().checked_sub(bytes) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => bail!(
                MalformedTflite,
                "what the file describes takes more than {MAX_MODEL_BYTES} bytes of memory, {bytes} of them for {what}"
            ),
        }
    }
}

/// The bytes of a file.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    budget: &'a Budget,
}

impl<'a> File<'a> {
    /// # Errors
    /// `MalformedTflite` where the bytes are more than offsets can reach.
    pub fn new(bytes: &'a [u8], budget: &'a Budget) -> Result<File<'a>> {
        if bytes.len() > MAX_FILE_BYTES {
            bail!(MalformedTflite, "the file has {} bytes, {MAX_FILE_BYTES} are allowed", bytes.len());
        }
        Ok(File { bytes, budget })
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The table that the file begins with an offset to.
    pub fn root(&self, place: Place) -> Result<Table<'_, 'a>> {
        let at = self.scalar::<u32>(0, format_args!("the offset of {place}"))?;
        self.table(at as usize, place)
    }

    fn scalar<T: Scalar>(&self, at: usize, what: fmt::Arguments<'_>) -> Result<T> {
        match self.bytes.get(at..).filter(|rest| rest.len() >= T::BYTES) {
            Some(rest) => Ok(T::of(rest)),
            None => Err(self.beyond(at as u64 + T::BYTES as u64, what)),
        }
    }

    fn beyond(&self, end: u64, what: fmt::Arguments<'_>) -> Error {
        Error::MalformedTflite(format!("{what} ends at byte {end}, the file at {} (truncated?)", self.len()))
    }

    fn table(&self, at: usize, place: Place) -> Result<Table<'_, 'a>> {
        let back: i32 = self.scalar(at, format_args!("{place}"))?;
        let vtable = match usize::try_from(at as i64 - i64::from(back)) {
            Ok(vtable) => vtable,
            Err(_) => bail!(MalformedTflite, "the vtable of {place} at byte {at} lies {back} bytes before it"),
        };
        let vtable_bytes: u16 = self.scalar(vtable, format_args!("the vtable of {place}"))?;
        let bytes: u16 = self.scalar(vtable + 2, format_args!("the vtable of {place}"))?;
        if vtable_bytes < 4 || !vtable_bytes.is_multiple_of(2) {
            bail!(MalformedTflite, "the vtable of {place} has {vtable_bytes} bytes, 4 or more and even is allowed");
        }
        if bytes < 4 {
            bail!(MalformedTflite, "{place} has {bytes} bytes, 4 or more are allowed");
        }
        for (what, end) in [("the vtable of ", vtable + usize::from(vtable_bytes)), ("", at + usize::from(bytes))] {
            if end > self.len() {
                return Err(self.beyond(end as u64, format_args!("{what}{place}")));
            }
        }
        Ok(Table { file: self, at, bytes, vtable, vtable_bytes, place })
    }
}

/// A table of the file.
#[derive(Clone, Copy)]
pub(super) struct Table<'f, 'a> {
    file: &'f File<'a>,
    at: usize,
    bytes: u16,
    vtable: usize,
    vtable_bytes: u16,
    place: Place,
}

impl<'f, 'a> Table<'f, 'a> {
    pub fn place(&self) -> Place {
        self.place
    }

    /// Note how many bytes are about to be taken into memory for it.
    pub fn charge(&self, bytes: usize) -> Result<()> {
        self.file.budget.charge(bytes, format_args!("{}", self.place))
    }

    /// Where a field of a known size lies in the file; `None` where the table lacks it.
    fn field(&self, field: Field, field_bytes: usize) -> Result<Option<usize>> {
        let slot = 4 + 2 * field.0;
        if slot + 2 > self.vtable_bytes {
            return Ok(None);
        }
        let at: u16 =
            self.file.scalar(self.vtable + usize::from(slot), format_args!("the vtable of {}", self.place))?;
        if at == 0 {
            return Ok(None);
        }
        let end = usize::from(at) + field_bytes;
        if at < 4 || end > usize::from(self.bytes) {
            bail!(
                MalformedTflite,
                "'{}' of {} takes its bytes {at} to {end}, 4 to {} are allowed",
                field.1,
                self.place,
                self.bytes
            );
        }
        Ok(Some(self.at + usize::from(at)))
    }

    pub fn scalar<T: Scalar>(&self, field: Field, default: T) -> Result<T> {
        match self.field(field, T::BYTES)? {
            Some(at) => self.file.scalar(at, format_args!("'{}' of {}", field.1, self.place)),
            None => Ok(default),
        }
    }

    /// A scalar that must be at least `least`.
    pub fn at_least(&self, field: Field, default: i32, least: i32) -> Result<u32> {
        let value = self.scalar(field, default)?;
        match u32::try_from(value) {
            Ok(v) if value >= least => Ok(v),
            _ => bail!(MalformedTflite, "'{}' of {} is {value}, {least} or more is allowed", field.1, self.place),
        }
    }

    /// Where what a field points to lies in the file.
    fn target(&self, field: Field) -> Result<Option<usize>> {
        let Some(at) = self.field(field, 4)? else { return Ok(None) };
        let ahead: u32 = self.file.scalar(at, format_args!("'{}' of {}", field.1, self.place))?;
        Ok(Some(at.saturating_add(ahead as usize)))
    }

    pub fn table(&self, field: Field, part: &'static str) -> Result<Option<Table<'f, 'a>>> {
        let Some(at) = self.target(field)? else { return Ok(None) };
        self.file.table(at, self.place.part(part)).map(Some)
    }

    /// The elements' bytes, where they lie in the file, of a vector whose elements have a known size.
    fn elements(&self, field: Field, element_bytes: usize) -> Result<Option<(usize, &'a [u8])>> {
        let Some(at) = self.target(field)? else { return Ok(None) };
        let n: u32 = self.file.scalar(at, format_args!("'{}' of {}", field.1, self.place))?;
        let start = at + 4;
        let end = start as u64 + u64::from(n) * element_bytes as u64;
        match self.file.bytes.get(start..).filter(|_| end <= self.file.len() as u64) {
            Some(rest) => Ok(Some((start, &rest[..n as usize * element_bytes]))),
            None => bail!(
                MalformedTflite,
                "'{}' of {} has {n} elements, which end at byte {end}; the file ends at {} (truncated?)",
                field.1,
                self.place,
                self.file.len()
            ),
        }
    }

    /// A vector of bytes, left where it is: where it lies in the file. Empty where there is none.
    pub fn bytes(&self, field: Field) -> Result<Range<usize>> {
        let (start, bytes) = self.elements(field, 1)?.unwrap_or_default();
        Ok(start..start + bytes.len())
    }

    /// A vector of scalars, each as `make` has it. Empty where there is none.
    pub fn list<T: Scalar, U>(&self, field: Field, mut make: impl FnMut(T) -> Result<U>) -> Result<Vec<U>> {
        let (_, bytes) = self.elements(field, T::BYTES)?.unwrap_or_default();
        let n = bytes.len() / T::BYTES;
        self.charge(n.saturating_mul(size_of::<U>()))?;
        let mut list = Vec::with_capacity(n);
        for element in bytes.chunks_exact(T::BYTES) {
            list.push(make(T::of(element))?);
        }
        Ok(list)
    }

    /// The number of elements of a vector of scalars or tables.
    pub fn count<T: Scalar>(&self, field: Field) -> Result<usize> {
        Ok(self.elements(field, T::BYTES)?.map_or(0, |(_, bytes)| bytes.len() / T::BYTES))
    }

    /// Text; `None` where there is none. What is not UTF-8 in it is U+FFFD.
    pub fn text(&self, field: Field) -> Result<Option<String>> {
        let Some((_, bytes)) = self.elements(field, 1)? else { return Ok(None) };
        // A byte that is not UTF-8 becomes the three of U+FFFD.
        let most = if std::str::from_utf8(bytes).is_ok() { bytes.len() } else { bytes.len().saturating_mul(3) };
        self.charge(most)?;
        Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
    }

    /// One table of a vector of tables.
    pub fn nth(&self, field: Field, i: usize, place: Place) -> Result<Table<'f, 'a>> {
        let (start, bytes) = self.elements(field, 4)?.unwrap_or_default();
        let Some(element) = bytes.chunks_exact(4).nth(i) else {
            bail!(MalformedTflite, "{place} is missing, '{}' of {} has {}", field.1, self.place, bytes.len() / 4)
        };
        self.file.table((start + 4 * i).saturating_add(u32::of(element) as usize), place)
    }

    /// A vector of tables, each as `make` has it. Empty where there is none.
    pub fn tables<U>(
        &self,
        field: Field,
        place: impl Fn(usize) -> Place,
        make: impl Fn(usize, Table<'f, 'a>) -> Result<U>,
    ) -> Result<Vec<U>> {
        let n = self.count::<u32>(field)?;
        self.charge(n.saturating_mul(size_of::<U>()))?;
        // Collecting results would grow the list step by step.
        let mut list = Vec::with_capacity(n);
        for i in 0..n {
            list.push(make(i, self.nth(field, i, place(i))?)?);
        }
        Ok(list)
    }
}
