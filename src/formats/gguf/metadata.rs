//! Metadata: typed key-value pairs. Strings and arrays stay where they are in the header's bytes, so
//! a vocabulary of 262,144 tokens costs its own size once.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{Result, bail};

/// The type of a metadata value (GGUF spec, `gguf_metadata_value_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    String,
    Array,
    U64,
    I64,
    F64,
}

impl ValueType {
    pub(super) fn from_id(id: u32) -> Option<Self> {
        use ValueType::*;
        [U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64].get(id as usize).copied()
    }

    /// Bytes of a fixed-size value; `None` for strings and arrays.
    pub(super) fn size(self) -> Option<usize> {
        use ValueType::*;
        match self {
            U8 | I8 | Bool => Some(1),
            U16 | I16 => Some(2),
            U32 | I32 | F32 => Some(4),
            U64 | I64 | F64 => Some(8),
            String | Array => None,
        }
    }
}

/// Where a value lies in the header.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub key: Range<usize>,
    pub ty: ValueType,
    /// Element type and count, for arrays.
    pub array: Option<(ValueType, usize)>,
    /// The value's bytes; for a string, those of its text; for an array, those of its elements.
    pub bytes: Range<usize>,
}

/// The metadata of a GGUF file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    pub(super) header: Vec<u8>,
    pub(super) entries: Vec<Entry>,
}

/// One value, borrowed from the header.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Int(i128),
    Float(f64),
    Bool(bool),
    /// What is not UTF-8 in it is U+FFFD: for showing it.
    String(Cow<'a, str>),
    Array(Array<'a>),
}

/// An array value: its element type, length and raw elements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Array<'a> {
    pub ty: ValueType,
    pub len: usize,
    bytes: &'a [u8],
}

fn scalar(ty: ValueType, bytes: &[u8]) -> Option<Value<'_>> {
    macro_rules! int {
        ($t:ty) => {
            Value::Int(<$t>::from_le_bytes(bytes.try_into().ok()?).into())
        };
    }
    Some(match ty {
        ValueType::U8 => int!(u8),
        ValueType::I8 => int!(i8),
        ValueType::U16 => int!(u16),
        ValueType::I16 => int!(i16),
        ValueType::U32 => int!(u32),
        ValueType::I32 => int!(i32),
        ValueType::U64 => int!(u64),
        ValueType::I64 => int!(i64),
        ValueType::F32 => Value::Float(f32::from_le_bytes(bytes.try_into().ok()?).into()),
        ValueType::F64 => Value::Float(f64::from_le_bytes(bytes.try_into().ok()?)),
        ValueType::Bool => Value::Bool(bytes != [0]),
        ValueType::String => Value::String(String::from_utf8_lossy(bytes)),
        ValueType::Array => return None,
    })
}

impl<'a> Array<'a> {
    /// The elements as numbers; `None` where they are not numbers.
    pub fn numbers(self) -> Option<impl Iterator<Item = f64> + 'a> {
        if self.ty == ValueType::Bool { None } else { self.numbers_or_flags() }
    }

    /// The elements as numbers, of booleans 0 and 1; `None` where they are neither.
    pub fn numbers_or_flags(self) -> Option<impl Iterator<Item = f64> + 'a> {
        let size = self.ty.size()?;
        Some(self.bytes.chunks_exact(size).map(move |c| match scalar(self.ty, c) {
            Some(Value::Int(v)) => v as f64,
            Some(Value::Float(v)) => v,
            Some(Value::Bool(true)) => 1.0,
            _ => 0.0,
        }))
    }

    /// The elements as strings' bytes (they need not be UTF-8); `None` where they are not strings.
    pub fn strings(self) -> Option<impl Iterator<Item = &'a [u8]>> {
        if self.ty != ValueType::String {
            return None;
        }
        let mut rest = self.bytes;
        Some(std::iter::from_fn(move || {
            let (len, tail) = rest.split_first_chunk::<8>()?;
            let (text, tail) = tail.split_at_checked(u64::from_le_bytes(*len) as usize)?;
            rest = tail;
            Some(text)
        }))
    }

    /// The elements as values, for showing them; nested arrays are left out.
    pub fn values(self) -> Box<dyn Iterator<Item = Value<'a>> + 'a> {
        if let Some(strings) = self.strings() {
            return Box::new(strings.map(|s| Value::String(String::from_utf8_lossy(s))));
        }
        match self.ty.size() {
            Some(size) => Box::new(self.bytes.chunks_exact(size).filter_map(move |c| scalar(self.ty, c))),
            None => Box::new(std::iter::empty()),
        }
    }
}

impl Metadata {
    fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| &self.header[e.key.clone()] == key.as_bytes())
    }

    fn value(&self, entry: &Entry) -> Value<'_> {
        let bytes = &self.header[entry.bytes.clone()];
        match entry.array {
            Some((ty, len)) => Value::Array(Array { ty, len, bytes }),
            None => scalar(entry.ty, bytes).unwrap_or(Value::String(Cow::default())),
        }
    }

    /// The keys and values in file order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.entries.iter().map(|e| {
            let key = std::str::from_utf8(&self.header[e.key.clone()]).unwrap_or("\u{fffd}");
            (key, self.value(e))
        })
    }

    pub fn get(&self, key: &str) -> Option<Value<'_>> {
        self.find(key).map(|e| self.value(e))
    }

    fn wrong_type<T>(&self, key: &str, wanted: &str) -> Result<T> {
        let found = self.find(key).map(|e| e.ty);
        bail!(MalformedGguf, "metadata '{key}' is {found:?}, {wanted} is needed")
    }

    /// A non-negative integer of any width that fits `u32`.
    ///
    /// # Errors
    /// `MalformedGguf` where the key holds something else.
    pub fn u32(&self, key: &str) -> Result<Option<u32>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Int(v)) => match u32::try_from(v) {
                Ok(v) => Ok(Some(v)),
                Err(_) => bail!(MalformedGguf, "metadata '{key}' is {v}, 0 to {} is allowed", u32::MAX),
            },
            Some(_) => self.wrong_type(key, "an integer"),
        }
    }

    /// A finite number.
    ///
    /// # Errors
    /// `MalformedGguf` where the key holds something else.
    pub fn f32(&self, key: &str) -> Result<Option<f32>> {
        let v = match self.get(key) {
            None => return Ok(None),
            Some(Value::Float(v)) => v,
            Some(Value::Int(v)) => v as f64,
            Some(_) => return self.wrong_type(key, "a number"),
        };
        // A finite f64 may be too large for an f32.
        if !(v as f32).is_finite() {
            bail!(MalformedGguf, "metadata '{key}' is {v}, a finite number is needed");
        }
        Ok(Some(v as f32))
    }

    /// # Errors
    /// `MalformedGguf` where the key holds something else.
    pub fn bool(&self, key: &str) -> Result<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(v)) => Ok(Some(v)),
            Some(_) => self.wrong_type(key, "a boolean"),
        }
    }

    /// # Errors
    /// `MalformedGguf` where the key holds something else or text that is not UTF-8.
    pub fn str(&self, key: &str) -> Result<Option<&str>> {
        match self.find(key) {
            None => Ok(None),
            Some(e) if e.ty == ValueType::String => match std::str::from_utf8(&self.header[e.bytes.clone()]) {
                Ok(s) => Ok(Some(s)),
                Err(_) => bail!(MalformedGguf, "metadata '{key}' is not UTF-8"),
            },
            Some(_) => self.wrong_type(key, "a string"),
        }
    }

    /// Text that only describes the model: what is not UTF-8 in it becomes U+FFFD, and what is no text counts as none.
    #[must_use]
    pub fn description(&self, key: &str) -> Option<Cow<'_, str>> {
        match self.get(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// # Errors
    /// `MalformedGguf` where the key holds something else.
    pub fn array(&self, key: &str) -> Result<Option<Array<'_>>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(a)) => Ok(Some(a)),
            Some(_) => self.wrong_type(key, "an array"),
        }
    }
}
