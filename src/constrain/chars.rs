//! Sets of characters, as the bytes that spell them: UTF-8, or what a JSON string has in their place.

use super::bytes::ByteSet;
use super::term::{Id, Terms};
use crate::order::sort;

/// Ranges of code points, sorted and apart, without surrogates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chars(pub(super) Vec<(u32, u32)>);

const LAST: u32 = 0x10_ffff;
const SURROGATES: (u32, u32) = (0xd800, 0xdfff);

impl Chars {
    #[must_use]
    pub fn of(ranges: &[(u32, u32)]) -> Chars {
        let mut sorted: Vec<(u32, u32)> = Vec::new();
        for &(first, last) in ranges {
            // The surrogates are no characters.
            sorted.push((first, last.min(SURROGATES.0 - 1)));
            sorted.push((first.max(SURROGATES.1 + 1), last.min(LAST)));
        }
        sorted.retain(|(first, last)| first <= last);
        sort(&mut sorted, |a, b| a < b);
        let mut out: Vec<(u32, u32)> = Vec::new();
        for (first, last) in sorted {
            match out.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => out.push((first, last)),
            }
        }
        Chars(out)
    }

    #[must_use]
    pub fn one(c: char) -> Chars {
        Chars(vec![(c.into(), c.into())])
    }

    #[must_use]
    pub fn all() -> Chars {
        Chars::of(&[(0, LAST)])
    }

    #[must_use]
    pub fn or(&self, other: &Chars) -> Chars {
        Chars::of(&[self.0.as_slice(), &other.0].concat())
    }

    #[must_use]
    pub fn not(&self) -> Chars {
        let mut next = 0;
        let mut out = Vec::new();
        for &(first, last) in &self.0 {
            if first > next {
                out.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            out.push((next, LAST));
        }
        Chars::of(&out)
    }

    #[must_use]
    pub fn without(&self, other: &Chars) -> Chars {
        self.not().or(other).not()
    }

    fn has(&self, c: char) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&c.into()))
    }

    /// In UTF-8.
    pub fn utf8(&self, t: &mut Terms) -> Id {
        let mut parts = Vec::new();
        for &(first, last) in &self.0 {
            utf8_range(t, first, last, &mut parts);
        }
        t.alt(&parts)
    }
}

/// The last code points of one to four bytes.
const LENGTHS: [u32; 4] = [0x7f, 0x7ff, 0xffff, LAST];

/// The byte sequences of a range of code points (as in "Regular Expression Matching in the Wild", Russ Cox, 2010).
fn utf8_range(t: &mut Terms, first: u32, last: u32, out: &mut Vec<Id>) {
    for end in LENGTHS {
        if first <= end && end < last {
            utf8_range(t, first, end, out);
            return utf8_range(t, end + 1, last, out);
        }
    }
    // Cut where a run of continuation bytes is not whole.
    for n in 1..4 {
        let mask = (1u32 << (6 * n)) - 1;
        if last <= 0x7f || first & !mask == last & !mask {
            continue;
        }
        if first & mask != 0 {
            utf8_range(t, first, first | mask, out);
            return utf8_range(t, (first | mask) + 1, last, out);
        }
        if last & mask != mask {
            utf8_range(t, first, (last & !mask) - 1, out);
            return utf8_range(t, last & !mask, last, out);
        }
    }
    let bytes = |c: u32| char::from_u32(c).map(|c| c.to_string().into_bytes()).unwrap_or_default();
    let ranges: Vec<Id> = bytes(first).into_iter().zip(bytes(last)).map(|(a, b)| t.range(a, b)).collect();
    let seq = t.seq(&ranges);
    out.push(seq);
}

/// How characters are spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    Utf8,
    /// In a JSON string, as `JSON.stringify` writes it.
    Json,
}

/// The characters that a JSON string spells by an escape of one letter.
const SHORT: [(char, &str); 7] =
    [('"', "\\\""), ('\\', "\\\\"), ('\u{8}', "\\b"), ('\u{c}', "\\f"), ('\n', "\\n"), ('\r', "\\r"), ('\t', "\\t")];

impl Spelling {
    /// One character of a set.
    pub fn chars(self, t: &mut Terms, set: &Chars) -> Id {
        if self == Spelling::Utf8 {
            return set.utf8(t);
        }
        let escaped = Chars::of(&[(0, 0x1f), ('"'.into(), '"'.into()), ('\\'.into(), '\\'.into())]);
        let mut parts = vec![set.without(&escaped).utf8(t)];
        for c in (0..0x20).chain([0x22, 0x5c]).filter_map(char::from_u32).filter(|&c| set.has(c)) {
            let spelt = json_char(c);
            parts.push(t.text(&spelt));
        }
        t.alt(&parts)
    }

    pub fn text(self, t: &mut Terms, text: &str) -> Id {
        match self {
            Spelling::Utf8 => t.text(text),
            Spelling::Json => t.text(&text.chars().map(json_char).collect::<String>()),
        }
    }
}

/// A character in a JSON string, as `JSON.stringify` writes it.
pub(super) fn json_char(c: char) -> String {
    match SHORT.iter().find(|(short, _)| *short == c) {
        Some((_, spelt)) => (*spelt).to_owned(),
        None if c < ' ' => format!("\\u{:04x}", u32::from(c)),
        None => c.to_string(),
    }
}

/// Any character of a JSON string in any spelling (RFC 8259, section 7), but no half of a surrogate pair.
pub fn any_json_char(t: &mut Terms) -> Id {
    let plain = Chars::of(&[(0x20, 0x21), (0x23, 0x5b), (0x5d, LAST)]).utf8(t);
    let short = t.byte(ByteSet::of(b"\"\\/bfnrt"));
    let hex = t.byte(ByteSet::of(b"0123456789abcdefABCDEF"));
    let set = |t: &mut Terms, bytes: &[u8]| t.byte(ByteSet::of(bytes));
    let (d, low, high) = (set(t, b"dD"), set(t, b"89abAB"), set(t, b"cdefCDEF"));
    let (not_d, below_8) = (set(t, b"0123456789abcefABCEF"), set(t, b"01234567"));
    let u = t.text("u");
    let pair_u = t.text("\\u");
    let three = t.repeat(hex, 3, 3);
    let two = t.repeat(hex, 2, 2);
    let codes = [
        t.seq(&[u, not_d, three]),
        t.seq(&[u, d, below_8, two]),
        t.seq(&[u, d, low, two, pair_u, d, high, two]),
        short,
    ];
    let codes = t.alt(&codes);
    let slash = t.text("\\");
    let escape = t.cat(slash, codes);
    t.alt(&[plain, escape])
}
