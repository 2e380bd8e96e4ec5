//! Types of tensors (`TensorType` of TFLite's schema).

use std::fmt;

use crate::error::{Result, bail};

macro_rules! types {
    ($($name:ident $text:literal $bits:expr;)*) => {
        /// The type of a tensor's elements.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TensorType { $($name),* }

        /// In the order of the schema: type, name, bits.
        const TABLE: &[(TensorType, &str, Option<u64>)] = &[$((TensorType::$name, $text, $bits)),*];
    };
}

types! {
    Float32 "FLOAT32" Some(32);
    Float16 "FLOAT16" Some(16);
    Int32 "INT32" Some(32);
    Uint8 "UINT8" Some(8);
    Int64 "INT64" Some(64);
    String "STRING" None;
    Bool "BOOL" Some(8);
    Int16 "INT16" Some(16);
    Complex64 "COMPLEX64" Some(64);
    Int8 "INT8" Some(8);
    Float64 "FLOAT64" Some(64);
    Complex128 "COMPLEX128" Some(128);
    Uint64 "UINT64" Some(64);
    Resource "RESOURCE" None;
    Variant "VARIANT" None;
    Uint32 "UINT32" Some(32);
    Uint16 "UINT16" Some(16);
    Int4 "INT4" Some(4);
    Bfloat16 "BFLOAT16" Some(16);
    Int2 "INT2" Some(2);
    Uint4 "UINT4" Some(4);
    Float8E4m3fn "FLOAT8_E4M3FN" Some(8);
    Float8E5m2 "FLOAT8_E5M2" Some(8);
}

impl TensorType {
    pub(super) fn from_id(id: i8) -> Option<Self> {
        TABLE.get(usize::try_from(id).ok()?).map(|row| row.0)
    }

    /// The schema's name: `FLOAT16`.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// Whether it holds fractions, so that a constant of it is weights.
    #[must_use]
    pub fn is_float(self) -> bool {
        use TensorType::*;
        matches!(self, Float32 | Float16 | Float64 | Bfloat16 | Float8E4m3fn | Float8E5m2)
    }

    /// Bytes that elements take, packed; `None` where elements have no fixed size.
    pub(super) fn bytes(self, n_elems: u64) -> Result<Option<u64>> {
        let Some(bits) = TABLE[self as usize].2 else { return Ok(None) };
        match n_elems.checked_mul(bits) {
            Some(bits) => Ok(Some(bits.div_ceil(8))),
            None => bail!(MalformedTflite, "{n_elems} elements of {self} overflow"),
        }
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_places_in_the_schema() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(TensorType::from_id(i as i8), Some(row.0), "{}", row.1);
            assert_eq!(row.0 as usize, i);
        }
        assert_eq!(TensorType::from_id(TABLE.len() as i8), None);
        assert_eq!(TensorType::from_id(-1), None);
    }

    #[test]
    fn elements_smaller_than_a_byte_are_packed() {
        assert_eq!(TensorType::Int4.bytes(3), Ok(Some(2)));
        assert_eq!(TensorType::Int2.bytes(5), Ok(Some(2)));
        assert_eq!(TensorType::Float16.bytes(3), Ok(Some(6)));
        assert_eq!(TensorType::String.bytes(3), Ok(None));
        assert_eq!(TensorType::Complex128.bytes(1 << 60).unwrap_err().code(), "MALFORMED_TFLITE");
    }
}
