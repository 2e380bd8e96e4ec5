//! What the tokenizers need to know of Unicode, from tables that `scripts/text/unicode_tables.mjs` writes.

mod bases;
mod category;

pub(crate) use bases::without_marks;
pub(crate) use category::{Categories, Category, CategoryMask};

/// Decodes one LEB128 number of a table of ours.
fn leb128(bytes: &mut impl Iterator<Item = u8>) -> u32 {
    let (mut value, mut shift) = (0, 0);
    for byte in bytes {
        value |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
