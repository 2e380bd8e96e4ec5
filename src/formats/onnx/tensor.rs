//! Tensors with values: initializers, and what attributes hold.

use std::ops::Range;

use super::DataType;
use super::data_type::LAST_ID;
use super::message::{Element, Field, Message};
use super::model::pair;
use crate::error::{Result, bail};

/// More than any known tensor has.
pub const MAX_DIMS: usize = 16;
/// A tensor takes no more. Sums over all tensors of a file can't overflow then.
pub const MAX_TENSOR_BYTES: u64 = 1 << 40;

// `TensorProto` of the schema.
const DIMS: Field = Field(1, "dims");
const DATA_TYPE: Field = Field(2, "data_type");
const SEGMENT: Field = Field(3, "segment");
const FLOAT_DATA: Field = Field(4, "float_data");
const INT32_DATA: Field = Field(5, "int32_data");
const STRING_DATA: Field = Field(6, "string_data");
const INT64_DATA: Field = Field(7, "int64_data");
const NAME: Field = Field(8, "name");
const RAW_DATA: Field = Field(9, "raw_data");
const DOUBLE_DATA: Field = Field(10, "double_data");
const UINT64_DATA: Field = Field(11, "uint64_data");
const EXTERNAL_DATA: Field = Field(13, "external_data");
const DATA_LOCATION: Field = Field(14, "data_location");

/// A tensor with values.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Those of attributes may have none.
    pub name: String,
    pub ty: DataType,
    /// Outermost first. Empty for a scalar.
    pub shape: Vec<u64>,
    pub data: Data,
}

/// Where a tensor's values are. Their bytes are little-endian, and packed where an element is smaller than a byte.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// In the file, at these bytes.
    Range(Range<u64>),
    /// Here: they are few, or the file has them as numbers of no fixed size.
    Values(Vec<u8>),
    /// Text.
    Texts(Vec<String>),
    /// In another file, which has this name.
    External(String),
}

impl Tensor {
    /// The number of elements; the reader has checked that it does not overflow.
    #[must_use]
    pub fn n_elems(&self) -> u64 {
        self.shape.iter().product()
    }

    /// Bytes of its elements. Text counts as none.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        (self.n_elems() * self.ty.bits().unwrap_or(0)).div_ceil(8)
    }

    /// Its bytes, given all of the file's; `None` where they are not there.
    #[must_use]
    pub fn bytes<'a>(&'a self, file: &'a [u8]) -> Option<&'a [u8]> {
        match &self.data {
            Data::Range(range) => file.get(range.start as usize..range.end as usize),
            Data::Values(bytes) => Some(bytes),
            Data::Texts(_) | Data::External(_) => None,
        }
    }

    /// Its values, where they are here and of type FLOAT.
    #[must_use]
    pub fn f32s(&self) -> Option<Vec<f32>> {
        match (&self.data, self.ty) {
            (Data::Values(bytes), DataType::Float) => Some(chunks(bytes).map(f32::from_le_bytes).collect()),
            _ => None,
        }
    }

    /// Its values, where they are here and of type INT64: shapes, axes, lengths.
    #[must_use]
    pub fn i64s(&self) -> Option<Vec<i64>> {
        match (&self.data, self.ty) {
            (Data::Values(bytes), DataType::Int64) => Some(chunks(bytes).map(i64::from_le_bytes).collect()),
            _ => None,
        }
    }

    /// The name of a tensor that is not yet read.
    pub(super) fn name(message: Message<'_>) -> Result<String> {
        message.text(NAME)
    }

    pub(super) fn read(message: Message<'_>) -> Result<Tensor> {
        let id = message.int(DATA_TYPE)?.unwrap_or(0);
        let Some(ty) = DataType::from_id(id) else {
            bail!(UnsupportedTensorType, "the tensor has type {id}, 1 to {LAST_ID} are known");
        };
        if message.message(SEGMENT)?.is_some() {
            bail!(UnsupportedArchitecture, "the tensor is in segments, whole ones are supported");
        }
        let shape = shape(message)?;
        let n_elems = n_elems(ty, &shape)?;
        let data = match message.int(DATA_LOCATION)?.unwrap_or(0) {
            0 => data(message, ty, &shape, n_elems)?,
            1 => external(message)?,
            other => bail!(MalformedOnnx, "'data_location' is {other}, 0 and 1 are known"),
        };
        Ok(Tensor { name: Tensor::name(message)?, ty, shape, data })
    }
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks().0.iter().copied()
}

fn shape(message: Message<'_>) -> Result<Vec<u64>> {
    let dims: Vec<i64> = message.numbers(DIMS)?;
    if dims.len() > MAX_DIMS {
        bail!(MalformedOnnx, "the tensor has {} dimensions, at most {MAX_DIMS} are allowed", dims.len());
    }
    let mut shape = Vec::with_capacity(dims.len());
    for n in dims {
        match u64::try_from(n) {
            Ok(n) => shape.push(n),
            Err(_) => bail!(MalformedOnnx, "the tensor has a dimension of {n}, 0 or more is allowed"),
        }
    }
    Ok(shape)
}

fn n_elems(ty: DataType, shape: &[u64]) -> Result<u64> {
    // A zero hides an overflow of the others in one order of the product, and not in another.
    let product = shape.iter().try_fold(1u64, |a, &b| a.checked_mul(b.max(1)));
    let bytes = product.and_then(|n| n.checked_mul(ty.bits().unwrap_or(8))).map(|bits| bits.div_ceil(8));
    match (product, bytes.filter(|&n| n <= MAX_TENSOR_BYTES)) {
        (Some(n), Some(_)) => Ok(if shape.contains(&0) { 0 } else { n }),
        _ => bail!(MalformedOnnx, "the tensor has shape {shape:?} of {ty}, {MAX_TENSOR_BYTES} bytes are allowed"),
    }
}

fn external(message: Message<'_>) -> Result<Data> {
    let entries = message.messages(EXTERNAL_DATA, |_, m| pair(m))?;
    match entries.into_iter().find(|(key, _)| key == "location") {
        Some((_, location)) if !location.is_empty() => Ok(Data::External(location)),
        _ => bail!(MalformedOnnx, "the tensor's data is in another file, which 'external_data' does not name"),
    }
}

/// Which field a type's values are in where they are not raw.
fn field_of(ty: DataType) -> Field {
    use DataType::*;
    match ty {
        Float | Complex64 => FLOAT_DATA,
        Double | Complex128 => DOUBLE_DATA,
        Int64 => INT64_DATA,
        Uint32 | Uint64 => UINT64_DATA,
        String => STRING_DATA,
        _ => INT32_DATA,
    }
}

fn data(message: Message<'_>, ty: DataType, shape: &[u64], n_elems: u64) -> Result<Data> {
    let mut found = Vec::new();
    for field in [RAW_DATA, FLOAT_DATA, INT32_DATA, STRING_DATA, INT64_DATA, DOUBLE_DATA, UINT64_DATA] {
        if message.count(field)? > 0 {
            found.push(field);
        }
    }
    let own = field_of(ty);
    if let Some(field) = found.iter().find(|field| ![RAW_DATA, own].contains(field)) {
        bail!(MalformedOnnx, "the tensor has '{}', {ty} has '{}' or '{}'", field.1, RAW_DATA.1, own.1);
    }
    if found.len() > 1 {
        bail!(MalformedOnnx, "the tensor has both '{}' and '{}', one is allowed", found[0].1, found[1].1);
    }
    let check = |found: u64, what: &str, wanted: u64| match found == wanted {
        true => Ok(()),
        false => bail!(MalformedOnnx, "the tensor has {found} {what}, {ty} of shape {shape:?} takes {wanted}"),
    };
    let Some(bits) = ty.bits() else {
        if found.first().is_some_and(|field| *field == RAW_DATA) {
            bail!(MalformedOnnx, "the tensor has '{}', {ty} has '{}'", RAW_DATA.1, own.1);
        }
        let texts = message.lossy_texts(STRING_DATA)?;
        check(texts.len() as u64, "texts of data", n_elems)?;
        return Ok(Data::Texts(texts));
    };
    let n_bytes = (n_elems * bits).div_ceil(8);
    // Floats in one piece are the same as raw ones.
    let is_fixed = [FLOAT_DATA, DOUBLE_DATA].contains(&own);
    let packed = if is_fixed && message.count(own)? == 1 && !message.is_number(own)? { own } else { RAW_DATA };
    if let Some(blob) = message.blob(packed)? {
        check(blob.file_range.end - blob.file_range.start, "bytes of data", n_bytes)?;
        return match blob.bytes {
            Some(bytes) => {
                message.header.charge(bytes.len())?;
                Ok(Data::Values(bytes.to_vec()))
            }
            None => Ok(Data::Range(blob.file_range)),
        };
    }
    let bytes = match own {
        FLOAT_DATA => le_bytes(message, own, f32::to_le_bytes),
        DOUBLE_DATA => le_bytes(message, own, f64::to_le_bytes),
        INT64_DATA => le_bytes(message, own, i64::to_le_bytes),
        UINT64_DATA if ty == DataType::Uint64 => le_bytes(message, own, u64::to_le_bytes),
        _ => integers(message, ty, own, bits),
    }?;
    check(bytes.len() as u64, "bytes of data", n_bytes)?;
    Ok(Data::Values(bytes))
}

fn le_bytes<T: Element, const N: usize>(message: Message<'_>, field: Field, le: fn(T) -> [u8; N]) -> Result<Vec<u8>> {
    let list: Vec<T> = message.numbers(field)?;
    message.header.charge(list.len() * N)?;
    let mut bytes = Vec::with_capacity(list.len() * N);
    list.into_iter().for_each(|value| bytes.extend(le(value)));
    Ok(bytes)
}

/// Integers of 4 bytes or less, halves and smaller floats as their bits; elements of less than a byte are packed in bytes.
fn integers(message: Message<'_>, ty: DataType, field: Field, bits: u64) -> Result<Vec<u8>> {
    let (least, most) = match (ty, bits) {
        (DataType::Int8, _) => (i8::MIN.into(), i8::MAX.into()),
        (DataType::Int16, _) => (i16::MIN.into(), i16::MAX.into()),
        (DataType::Int32, _) => (i32::MIN.into(), i32::MAX.into()),
        (DataType::Bool, _) => (0, 1),
        (_, 32) => (0, u32::MAX.into()),
        (_, 16) => (0, u16::MAX.into()),
        _ => (0, i64::from(u8::MAX)),
    };
    let width = bits.div_ceil(8) as usize;
    let list: Vec<i64> = message.numbers(field)?;
    message.header.charge(list.len() * width)?;
    let mut bytes = Vec::with_capacity(list.len() * width);
    for v in list {
        if v < least || v > most {
            bail!(MalformedOnnx, "'{}' has the value {v}, {ty} has {least} to {most}", field.1);
        }
        bytes.extend_from_slice(&v.to_le_bytes()[..width]);
    }
    Ok(bytes)
}
