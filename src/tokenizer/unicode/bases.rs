//! Stripping of accents: the canonical decomposition (UAX #15, NFD) without its nonspacing marks.

use std::sync::OnceLock;

use super::{Categories, Category, leb128};

/// Characters and their bases: `scripts/text/unicode_tables.mjs` documents the format.
const TABLE: &[u8] = include_bytes!("bases.bin");

/// The table unpacked, sorted by character; a character with several bases is there several times.
fn bases() -> &'static [(u32, char)] {
    static BASES: OnceLock<Vec<(u32, char)>> = OnceLock::new();
    BASES.get_or_init(|| {
        let mut pairs = Vec::new();
        let mut bytes = TABLE.iter().copied().peekable();
        let mut c = 0;
        while bytes.peek().is_some() {
            c += leb128(&mut bytes);
            let zigzag = leb128(&mut bytes);
            let distance = (zigzag >> 1) ^ (zigzag & 1).wrapping_neg();
            pairs.push((c, char::from_u32(c.wrapping_add(distance)).unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        pairs
    })
}

/// Gives `out` the characters of the decomposition of `c` that are not nonspacing marks.
pub(crate) fn without_marks(c: char, mut out: impl FnMut(char)) {
    if c.is_ascii() {
        return out(c);
    }
    if Categories::get().of(c) == Category::NONSPACING_MARK {
        return;
    }
    // Hangul syllables: the arithmetic of the Unicode Standard, section 3.12.
    if let 0xac00..=0xd7a3 = c as u32 {
        let syllable = c as u32 - 0xac00;
        let (lead, vowel, tail) = (syllable / 588, syllable % 588 / 28, syllable % 28);
        let jamo = [0x1100 + lead, 0x1161 + vowel, 0x11a7 + tail];
        let n = if tail == 0 { 2 } else { 3 };
        return jamo[..n].iter().filter_map(|&j| char::from_u32(j)).for_each(out);
    }
    let pairs = bases();
    let start = pairs.partition_point(|&(from, _)| from < c as u32);
    let mut found = pairs[start..].iter().take_while(|&&(from, _)| from == c as u32).peekable();
    if found.peek().is_none() {
        return out(c);
    }
    found.for_each(|&(_, base)| out(base));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> String {
        let mut out = String::new();
        text.chars().for_each(|c| without_marks(c, |b| out.push(b)));
        out
    }

    #[test]
    fn accents_go_and_bases_stay() {
        assert_eq!(stripped("Crème brûlée, ăộ, Ἄ, é"), "Creme brulee, ao, Α, e");
        assert_eq!(stripped("각가 ไทย"), "\u{1100}\u{1161}\u{11a8}\u{1100}\u{1161} ไทย");
        assert_eq!(stripped("\u{9cb}\u{f900}\u{212b}"), "\u{9c7}\u{9be}\u{8c48}A");
    }
}
