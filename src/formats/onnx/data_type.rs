//! Types of tensors (`TensorProto.DataType` of ONNX's schema).

use std::fmt;

macro_rules! types {
    ($($name:ident $text:literal $bits:expr;)*) => {
        /// The type of a tensor's elements.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum DataType { $($name),* }

        /// In the order of the schema, whose numbers begin with 1: type, name, bits.
        const TABLE: &[(DataType, &str, Option<u64>)] = &[$((DataType::$name, $text, $bits)),*];
    };
}

types! {
    Float "FLOAT" Some(32);
    Uint8 "UINT8" Some(8);
    Int8 "INT8" Some(8);
    Uint16 "UINT16" Some(16);
    Int16 "INT16" Some(16);
    Int32 "INT32" Some(32);
    Int64 "INT64" Some(64);
    String "STRING" None;
    Bool "BOOL" Some(8);
    Float16 "FLOAT16" Some(16);
    Double "DOUBLE" Some(64);
    Uint32 "UINT32" Some(32);
    Uint64 "UINT64" Some(64);
    Complex64 "COMPLEX64" Some(64);
    Complex128 "COMPLEX128" Some(128);
    Bfloat16 "BFLOAT16" Some(16);
    Float8E4m3fn "FLOAT8E4M3FN" Some(8);
    Float8E4m3fnuz "FLOAT8E4M3FNUZ" Some(8);
    Float8E5m2 "FLOAT8E5M2" Some(8);
    Float8E5m2fnuz "FLOAT8E5M2FNUZ" Some(8);
    Uint4 "UINT4" Some(4);
    Int4 "INT4" Some(4);
    Float4E2m1 "FLOAT4E2M1" Some(4);
    Float8E8m0 "FLOAT8E8M0" Some(8);
    Uint2 "UINT2" Some(2);
    Int2 "INT2" Some(2);
}

/// The number of the last type that is known.
pub(super) const LAST_ID: usize = TABLE.len();

impl DataType {
    pub(super) fn from_id(id: i64) -> Option<Self> {
        let place = usize::try_from(id.checked_sub(1)?).ok()?;
        TABLE.get(place).map(|row| row.0)
    }

    /// The schema's name: `FLOAT16`.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// Bits of an element; `None` for text.
    #[must_use]
    pub fn bits(self) -> Option<u64> {
        TABLE[self as usize].2
    }

    /// Whether it holds fractions, so that a constant of it is weights.
    #[must_use]
    pub fn is_float(self) -> bool {
        use DataType::*;
        matches!(
            self,
            Float
                | Float16
                | Double
                | Bfloat16
                | Float8E4m3fn
                | Float8E4m3fnuz
                | Float8E5m2
                | Float8E5m2fnuz
                | Float4E2m1
                | Float8E8m0
        )
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_numbers_of_the_schema() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(DataType::from_id(i as i64 + 1), Some(row.0), "{}", row.1);
            assert_eq!(row.0 as usize, i);
        }
        assert_eq!(LAST_ID, 26);
        for id in [0, -1, 27, i64::MIN, i64::MAX] {
            assert_eq!(DataType::from_id(id), None);
        }
    }
}
