//! The tensor types of ggml: how many elements make a block and how many bytes a block takes.

use crate::error::{Result, bail};

/// A tensor type, named as in ggml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(non_camel_case_types, reason = "the exact ggml names")]
pub enum GgmlType {
    F32,
    F16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q8_1,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    Q8_K,
    IQ2_XXS,
    IQ2_XS,
    IQ3_XXS,
    IQ1_S,
    IQ4_NL,
    IQ3_S,
    IQ2_S,
    IQ4_XS,
    I8,
    I16,
    I32,
    I64,
    F64,
    IQ1_M,
    BF16,
    TQ1_0,
    TQ2_0,
    MXFP4,
}

use GgmlType::*;

/// id in the file, type, elements a block, bytes a block (ggml-common.h).
const TABLE: [(u32, GgmlType, &str, u32, u32); 32] = [
    (0, F32, "F32", 1, 4),
    (1, F16, "F16", 1, 2),
    (2, Q4_0, "Q4_0", 32, 18),
    (3, Q4_1, "Q4_1", 32, 20),
    (6, Q5_0, "Q5_0", 32, 22),
    (7, Q5_1, "Q5_1", 32, 24),
    (8, Q8_0, "Q8_0", 32, 34),
    (9, Q8_1, "Q8_1", 32, 36),
    (10, Q2_K, "Q2_K", 256, 84),
    (11, Q3_K, "Q3_K", 256, 110),
    (12, Q4_K, "Q4_K", 256, 144),
    (13, Q5_K, "Q5_K", 256, 176),
    (14, Q6_K, "Q6_K", 256, 210),
    (15, Q8_K, "Q8_K", 256, 292),
    (16, IQ2_XXS, "IQ2_XXS", 256, 66),
    (17, IQ2_XS, "IQ2_XS", 256, 74),
    (18, IQ3_XXS, "IQ3_XXS", 256, 98),
    (19, IQ1_S, "IQ1_S", 256, 50),
    (20, IQ4_NL, "IQ4_NL", 32, 18),
    (21, IQ3_S, "IQ3_S", 256, 110),
    (22, IQ2_S, "IQ2_S", 256, 82),
    (23, IQ4_XS, "IQ4_XS", 256, 136),
    (24, I8, "I8", 1, 1),
    (25, I16, "I16", 1, 2),
    (26, I32, "I32", 1, 4),
    (27, I64, "I64", 1, 8),
    (28, F64, "F64", 1, 8),
    (29, IQ1_M, "IQ1_M", 256, 56),
    (30, BF16, "BF16", 1, 2),
    (34, TQ1_0, "TQ1_0", 256, 54),
    (35, TQ2_0, "TQ2_0", 256, 66),
    (39, MXFP4, "MXFP4", 32, 17),
];

impl GgmlType {
    pub fn from_id(id: u32) -> Option<Self> {
        TABLE.iter().find(|row| row.0 == id).map(|row| row.1)
    }

    fn row(self) -> &'static (u32, GgmlType, &'static str, u32, u32) {
        // The table is in declaration order, which a test checks.
        &TABLE[self as usize]
    }

    /// The id in the file.
    #[must_use]
    pub fn id(self) -> u32 {
        self.row().0
    }

    /// The ggml name: `Q8_0`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().2
    }

    #[must_use]
    pub fn block_elems(self) -> u64 {
        self.row().3.into()
    }

    #[must_use]
    pub fn block_bytes(self) -> u64 {
        self.row().4.into()
    }

    /// Bytes of one row of `n_elems` elements; rows are whole blocks.
    ///
    /// # Errors
    /// `MalformedGguf` where the row is not a whole number of blocks.
    pub fn row_bytes(self, n_elems: u64) -> Result<u64> {
        let block = self.block_elems();
        if !n_elems.is_multiple_of(block) {
            bail!(
                MalformedGguf,
                "a row of {n_elems} elements is not a whole number of {} blocks of {block}",
                self.name()
            );
        }
        match (n_elems / block).checked_mul(self.block_bytes()) {
            Some(bytes) => Ok(bytes),
            None => bail!(MalformedGguf, "a row of {n_elems} elements overflows"),
        }
    }

    pub fn all() -> impl Iterator<Item = GgmlType> {
        TABLE.iter().map(|row| row.1)
    }
}

impl std::fmt::Display for GgmlType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_declaration_order() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(row.1 as usize, i, "{}", row.2);
            assert_eq!(GgmlType::from_id(row.0), Some(row.1));
        }
    }

    #[test]
    fn rows_are_whole_blocks() {
        assert_eq!(Q8_0.row_bytes(64), Ok(68));
        assert_eq!(Q8_0.row_bytes(33).unwrap_err().code(), "MALFORMED_GGUF");
    }
}
