//! Messages of Protocol Buffers, read with checks from what has been kept of a file.
//!
//! A message is a list of fields in any order. A field that the message lacks has the default value; one that is there
//! twice without being a list is an error. Lists of numbers are packed into one field, or are a field each.

use std::cell::Cell;
use std::ops::Range;

use crate::error::{Result, bail};

/// What a file's description may take in memory. A network of 3,600 nodes takes 3 MB.
pub const MAX_MODEL_BYTES: usize = 32 << 20;

/// A field of a message: its number in the schema, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field(pub u32, pub &'static str);

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
    /// The whole of it.
    pub fn root(&self) -> Message<'_> {
        Message { header: self, range: (0, self.bytes.len()) }
    }

    /// Bytes of the cuts that `is_before` holds for; cuts are in order.
    fn cut_bytes(&self, is_before: impl Fn(&Cut) -> bool) -> u64 {
        match self.cuts.partition_point(is_before) {
            0 => 0,
            n => self.cuts[n - 1].total,
        }
    }

    /// The content of `n_bytes` of a field that begins at `at` of the header.
    fn content(&self, at: usize, n_bytes: u64) -> Content {
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
struct Content {
    /// In the header's bytes.
    kept: (usize, usize),
    /// In the file.
    file: Range<u64>,
    is_cut: bool,
}

/// A field's value, by wire type.
#[derive(Debug, Clone)]
enum Value {
    Varint(u64),
    Fixed64([u8; 8]),
    Content(Content),
    Fixed32([u8; 4]),
}

impl Value {
    fn wire_type(&self) -> u8 {
        match self {
            Value::Varint(_) => 0,
            Value::Fixed64(_) => 1,
            Value::Content(_) => 2,
            Value::Fixed32(_) => 5,
        }
    }
}

/// The bytes of a field: where they lie in the file, and themselves where they have been kept.
pub(super) struct Blob<'h> {
    pub file_range: Range<u64>,
    pub bytes: Option<&'h [u8]>,
}

/// A number that lists are of.
pub(super) trait Element: Copy {
    /// 0 where it is a varint.
    const BYTES: usize;
    /// Wire types of a list.
    const WIRE_TYPES: &'static str;
    /// Of a varint, or of little-endian bytes.
    fn of(bits: u64) -> Self;
}

macro_rules! elements {
    ($($ty:ty, $bytes:literal, $wires:literal, $of:expr;)*) => { $(
        impl Element for $ty {
            const BYTES: usize = $bytes;
            const WIRE_TYPES: &'static str = $wires;

            fn of(bits: u64) -> Self {
                $of(bits)
            }
        }
    )* };
}
elements! {
    i64, 0, "0 and 2 are", |bits| bits as i64;
    u64, 0, "0 and 2 are", |bits| bits;
    f32, 4, "2 and 5 are", |bits| f32::from_bits(bits as u32);
    f64, 8, "1 and 2 are", f64::from_bits;
}

/// A message.
#[derive(Clone, Copy)]
pub(super) struct Message<'h> {
    pub header: &'h Header,
    /// In the header's bytes.
    range: (usize, usize),
}

/// The number at the start of `bytes`, and how many bytes it takes.
fn varint(bytes: &[u8]) -> Result<(u64, usize)> {
    let mut value = 0;
    for (i, &byte) in bytes.iter().enumerate().take(10) {
        if i == 9 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            return Ok((value, i + 1));
        }
    }
    match bytes.len() {
        0..=9 => bail!(MalformedOnnx, "a number ends behind its message, after {} bytes", bytes.len()),
        _ => bail!(MalformedOnnx, "a number has more than 64 bits"),
    }
}

impl<'h> Message<'h> {
    fn bytes(&self, at: usize) -> &'h [u8] {
        self.header.bytes.get(at..self.range.1).unwrap_or_default()
    }

    /// The field at `at` of the header: its number, its value and where the next one is.
    fn field_at(&self, at: usize) -> Result<(u32, Value, usize)> {
        let (key, n) = varint(self.bytes(at))?;
        let at = at + n;
        let Some(number) = u32::try_from(key).ok().map(|key| key >> 3).filter(|&n| n > 0) else {
            bail!(MalformedOnnx, "a field has number {}, 1 to 536870911 are allowed", key >> 3);
        };
        let missing = |n: u64| -> Result<(u32, Value, usize)> {
            let left = self.bytes(at).len();
            bail!(MalformedOnnx, "field {number} takes {n} bytes, its message has {left} left")
        };
        match key & 7 {
            0 => {
                let (value, n) = varint(self.bytes(at))?;
                Ok((number, Value::Varint(value), at + n))
            }
            1 => match self.bytes(at).first_chunk::<8>() {
                Some(bytes) => Ok((number, Value::Fixed64(*bytes), at + 8)),
                None => missing(8),
            },
            5 => match self.bytes(at).first_chunk::<4>() {
                Some(bytes) => Ok((number, Value::Fixed32(*bytes), at + 4)),
                None => missing(4),
            },
            2 => {
                let (n_bytes, n) = varint(self.bytes(at))?;
                let content = self.header.content(at + n, n_bytes);
                let end = content.kept.1;
                match end <= self.range.1 && end >= at + n {
                    true => Ok((number, Value::Content(content), end)),
                    false => missing(n_bytes),
                }
            }
            wire => bail!(MalformedOnnx, "field {number} has wire type {wire}, 0, 1, 2 and 5 are known"),
        }
    }

    /// Each value of the field, in order.
    fn each(&self, field: Field, mut take: impl FnMut(Value) -> Result<()>) -> Result<()> {
        let mut at = self.range.0;
        while at < self.range.1 {
            let (number, value, next) = self.field_at(at)?;
            if number == field.0 {
                take(value)?;
            }
            at = next;
        }
        Ok(())
    }

    /// How often the field is there.
    pub fn count(&self, field: Field) -> Result<usize> {
        let mut n = 0;
        self.each(field, |_| {
            n += 1;
            Ok(())
        })?;
        Ok(n)
    }

    /// The value of a field that is no list.
    fn one(&self, field: Field) -> Result<Option<Value>> {
        let mut found = None;
        self.each(field, |value| match found.replace(value) {
            None => Ok(()),
            Some(_) => bail!(MalformedOnnx, "'{}' is there twice", field.1),
        })?;
        Ok(found)
    }

    /// Whether a field that is there once has a number, no length.
    pub fn is_number(&self, field: Field) -> Result<bool> {
        Ok(!matches!(self.one(field)?, Some(Value::Content(_))))
    }

    pub fn int(&self, field: Field) -> Result<Option<i64>> {
        match self.one(field)? {
            None => Ok(None),
            Some(Value::Varint(bits)) => Ok(Some(bits as i64)),
            Some(other) => wrong_type(field, &other, "0 is"),
        }
    }

    pub fn float(&self, field: Field) -> Result<Option<f32>> {
        match self.one(field)? {
            None => Ok(None),
            Some(Value::Fixed32(bytes)) => Ok(Some(f32::from_le_bytes(bytes))),
            Some(other) => wrong_type(field, &other, "5 is"),
        }
    }

    pub fn blob(&self, field: Field) -> Result<Option<Blob<'h>>> {
        self.one(field)?.map(|value| self.blob_of(field, value)).transpose()
    }

    fn blob_of(&self, field: Field, value: Value) -> Result<Blob<'h>> {
        match value {
            Value::Content(content) => {
                let bytes = self.header.bytes.get(content.kept.0..content.kept.1).filter(|_| !content.is_cut);
                Ok(Blob { file_range: content.file, bytes })
            }
            other => wrong_type(field, &other, "2 is"),
        }
    }

    fn text_of(&self, field: Field, value: Value) -> Result<String> {
        let bytes = self.blob_of(field, value)?.bytes.unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                self.header.charge(bytes.len())?;
                Ok(text.to_owned())
            }
            Err(e) => bail!(MalformedOnnx, "'{}' is not UTF-8 at byte {} of it", field.1, e.valid_up_to()),
        }
    }

    /// Empty where there is none.
    pub fn text(&self, field: Field) -> Result<String> {
        Ok(self.one(field)?.map(|value| self.text_of(field, value)).transpose()?.unwrap_or_default())
    }

    fn list<T>(&self, field: Field, mut make: impl FnMut(usize, Value) -> Result<T>) -> Result<Vec<T>> {
        let n = self.count(field)?;
        self.header.charge(n.saturating_mul(size_of::<T>()))?;
        let mut list = Vec::with_capacity(n);
        self.each(field, |value| {
            let element = make(list.len(), value)?;
            list.push(element);
            Ok(())
        })?;
        Ok(list)
    }

    pub fn texts(&self, field: Field) -> Result<Vec<String>> {
        self.list(field, |_, value| self.text_of(field, value))
    }

    fn lossy_text_of(&self, field: Field, value: Value) -> Result<String> {
        let bytes = self.blob_of(field, value)?.bytes.unwrap_or_default();
        // A byte that is not UTF-8 becomes the three of U+FFFD.
        self.header.charge(bytes.len().saturating_mul(3))?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Bytes that should be text; what is not UTF-8 in them is U+FFFD.
    pub fn lossy_text(&self, field: Field) -> Result<String> {
        Ok(self.one(field)?.map(|value| self.lossy_text_of(field, value)).transpose()?.unwrap_or_default())
    }

    pub fn lossy_texts(&self, field: Field) -> Result<Vec<String>> {
        self.list(field, |_, value| self.lossy_text_of(field, value))
    }

    fn message_of(&self, field: Field, value: Value) -> Result<Message<'h>> {
        match value {
            Value::Content(content) if !content.is_cut => Ok(Message { header: self.header, range: content.kept }),
            Value::Content(content) => bail!(
                MalformedOnnx,
                "'{}' has {} bytes, less than {} are read",
                field.1,
                content.file.end - content.file.start,
                super::reader::MIN_CUT_BYTES
            ),
            other => wrong_type(field, &other, "2 is"),
        }
    }

    pub fn message(&self, field: Field) -> Result<Option<Message<'h>>> {
        self.one(field)?.map(|value| self.message_of(field, value)).transpose()
    }

    /// Messages, each as `make` has it with its place in the list.
    pub fn messages<T>(&self, field: Field, mut make: impl FnMut(usize, Message<'h>) -> Result<T>) -> Result<Vec<T>> {
        self.list(field, |i, value| make(i, self.message_of(field, value)?))
    }

    /// Numbers, packed or not.
    pub fn numbers<T: Element>(&self, field: Field) -> Result<Vec<T>> {
        let mut n = 0;
        self.each_number::<T>(field, |_| n += 1)?;
        self.header.charge(n * size_of::<T>())?;
        let mut list = Vec::with_capacity(n);
        self.each_number(field, |element| list.push(element))?;
        Ok(list)
    }

    fn each_number<T: Element>(&self, field: Field, mut take: impl FnMut(T)) -> Result<()> {
        self.each(field, |value| {
            match (value, T::BYTES) {
                (Value::Varint(bits), 0) => take(T::of(bits)),
                (Value::Fixed32(bytes), 4) => take(T::of(u32::from_le_bytes(bytes).into())),
                (Value::Fixed64(bytes), 8) => take(T::of(u64::from_le_bytes(bytes))),
                (Value::Content(content), _) => return self.packed(field, &content, &mut take),
                (other, _) => return wrong_type(field, &other, T::WIRE_TYPES),
            }
            Ok(())
        })
    }

    fn packed<T: Element>(&self, field: Field, content: &Content, take: &mut impl FnMut(T)) -> Result<()> {
        if content.is_cut {
            let n = content.file.end - content.file.start;
            bail!(MalformedOnnx, "'{}' has a part of {n} bytes and others, one part is allowed", field.1);
        }
        let mut rest = self.header.bytes.get(content.kept.0..content.kept.1).unwrap_or_default();
        if T::BYTES == 0 {
            while !rest.is_empty() {
                let (bits, n) = varint(rest)?;
                take(T::of(bits));
                rest = &rest[n..];
            }
            return Ok(());
        }
        if !rest.len().is_multiple_of(T::BYTES) {
            bail!(MalformedOnnx, "'{}' has {} bytes, a multiple of {} is allowed", field.1, rest.len(), T::BYTES);
        }
        for chunk in rest.chunks_exact(T::BYTES) {
            let mut bytes = [0; 8];
            bytes[..T::BYTES].copy_from_slice(chunk);
            take(T::of(u64::from_le_bytes(bytes)));
        }
        Ok(())
    }
}

fn wrong_type<T>(field: Field, found: &Value, allowed: &str) -> Result<T> {
    bail!(MalformedOnnx, "'{}' has wire type {}, {allowed} allowed", field.1, found.wire_type())
}
