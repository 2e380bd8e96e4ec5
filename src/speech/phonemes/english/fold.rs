//! Unicode forms to plain ones: full width, ligatures, accents, quotes, spaces. Every byte keeps the place it came from.

use std::ops::Range;

/// Letters with marks, by the letters that English reads them as.
const ACCENTS: [(&str, &str); 52] = [
    ("a", "àáâãåāăąǎạảấầẩẫậắằẳẵặ"),
    ("A", "ÀÁÂÃÅĀĂĄǍẠẢẤẦẨẪẬẮẰẲẴẶ"),
    ("a", "ä"),
    ("A", "Ä"),
    ("ae", "æ"),
    ("Ae", "Æ"),
    ("c", "çćĉċč"),
    ("C", "ÇĆĈĊČ"),
    ("d", "ďđ"),
    ("D", "ĎĐ"),
    ("th", "þð"),
    ("Th", "ÞÐ"),
    ("e", "èéêëēĕėęěẹẻẽếềểễệ"),
    ("E", "ÈÉÊËĒĔĖĘĚẸẺẼẾỀỂỄỆ"),
    ("g", "ĝğġģ"),
    ("G", "ĜĞĠĢ"),
    ("h", "ĥħ"),
    ("H", "ĤĦ"),
    ("i", "ìíîïĩīĭįıǐịỉ"),
    ("I", "ÌÍÎÏĨĪĬĮİǏỊỈ"),
    ("j", "ĵ"),
    ("J", "Ĵ"),
    ("k", "ķ"),
    ("K", "Ķ"),
    ("l", "ĺļľŀł"),
    ("L", "ĹĻĽĿŁ"),
    ("n", "ñńņňŋ"),
    ("N", "ÑŃŅŇŊ"),
    ("o", "òóôõöøōŏőǒơọỏốồổỗộớờởỡợ"),
    ("O", "ÒÓÔÕÖØŌŎŐǑƠỌỎỐỒỔỖỘỚỜỞỠỢ"),
    ("oe", "œ"),
    ("Oe", "Œ"),
    ("r", "ŕŗř"),
    ("R", "ŔŖŘ"),
    ("s", "śŝşšș"),
    ("S", "ŚŜŞŠȘ"),
    ("ss", "ß"),
    ("Ss", "ẞ"),
    ("t", "ţťŧț"),
    ("T", "ŢŤŦȚ"),
    ("u", "ùúûüũūŭůűųǔưụủứừửữự"),
    ("U", "ÙÚÛÜŨŪŬŮŰŲǓƯỤỦỨỪỬỮỰ"),
    ("w", "ŵẁẃẅ"),
    ("W", "ŴẀẂẄ"),
    ("y", "ýÿŷỳỵỷỹ"),
    ("Y", "ÝŸŶỲỴỶỸ"),
    ("z", "źżž"),
    ("Z", "ŹŻŽ"),
    ("f", "ƒ"),
    ("ij", "ĳ"),
    ("IJ", "Ĳ"),
    ("n", "ŉ"),
];

/// Signs that are written otherwise, too.
const FORMS: [(&str, &str); 34] = [
    ("'", "‘’‛ʼ′`´＇"),
    ("\"", "″＂"),
    ("“", "„‟«《"),
    ("”", "»》"),
    ("-", "‐‑−﹣⁃"),
    ("–", "‒"),
    ("—", "―⸺⸻﹘"),
    (
        " ",
        "\u{a0}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{202f}\u{205f}\u{3000}",
    ),
    ("ff", "ﬀ"),
    ("fi", "ﬁ"),
    ("fl", "ﬂ"),
    ("ffi", "ﬃ"),
    ("ffl", "ﬄ"),
    ("st", "ﬅﬆ"),
    (" 1⁄4", "¼"),
    (" 1⁄2", "½"),
    (" 3⁄4", "¾"),
    (" 1⁄3", "⅓"),
    (" 2⁄3", "⅔"),
    (" 1⁄8", "⅛"),
    (" 3⁄8", "⅜"),
    (" 5⁄8", "⅝"),
    (" 7⁄8", "⅞"),
    (" 1⁄5", "⅕"),
    ("No.", "№"),
    ("°C", "℃"),
    ("°F", "℉"),
    ("µ", "μ"),
    ("(", "[{（【"),
    (")", "]}）】"),
    (".", "。"),
    (",", "、"),
    ("!", "¡"),
    ("?", "¿"),
];

const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// Text in plain forms.
pub struct Folded {
    pub text: String,
    /// By byte of `text`: the range of the character that it came from. Marks that add to a letter belong to it.
    sources: Vec<(usize, usize)>,
    /// Whether the last character was a fraction.
    ends_in_fraction: bool,
}

impl Folded {
    pub fn new(source: &str) -> Self {
        let mut folded = Folded {
            text: String::with_capacity(source.len()),
            sources: Vec::with_capacity(source.len()),
            ends_in_fraction: false,
        };
        for (start, c) in source.char_indices() {
            let end = start + c.len_utf8();
            let before = folded.text.len();
            folded.push(c);
            if folded.text.len() == before {
                let glued = !folded.text.ends_with(char::is_whitespace);
                match folded.sources.last_mut().filter(|_| glued) {
                    Some(last) => last.1 = end,
                    // Nothing that it could belong to.
                    None => folded.text.push('\u{fffd}'),
                }
            }
            folded.sources.resize(folded.text.len(), (start, end));
        }
        folded
    }

    /// Where a range of `text` came from.
    pub fn source(&self, range: Range<usize>) -> Range<usize> {
        self.sources[range.start].0..self.sources[range.end - 1].1
    }

    fn push(&mut self, c: char) {
        let code = u32::from(c);
        let after_fraction = std::mem::take(&mut self.ends_in_fraction);
        let ascii = |code: u32| char::from_u32(code).unwrap_or(c);
        match code {
            // "½5" is no "1/25".
            0x30..=0x39 if after_fraction => {
                self.text.push(' ');
                self.text.push(c);
            }
            0..0x80 => self.text.push(c),
            // Full width.
            0xff01..=0xff5e => self.text.push(ascii(code - 0xfee0)),
            // Mathematical letters and digits, 52 and 10 a style.
            0x1d400..=0x1d6a3 => {
                let letter = (code - 0x1d400) % 52;
                self.text.push(ascii(if letter < 26 { 0x41 + letter } else { 0x47 + letter }));
            }
            0x1d7ce..=0x1d7ff => self.text.push(ascii(0x30 + (code - 0x1d7ce) % 10)),
            0x2080..=0x2089 => self.text.push(ascii(0x30 + code - 0x2080)),
            0x2160..=0x216b => self.text += ROMAN[(code - 0x2160) as usize],
            // Combining marks, soft hyphen, zero width, variation selectors, byte order mark: no sound of their own.
            0x300..=0x36f | 0xad | 0x200b..=0x200f | 0x2060 | 0xfe00..=0xfe0f | 0xfeff => {}
            _ => {
                let form = ACCENTS.iter().chain(&FORMS).find(|(_, forms)| forms.contains(c));
                self.ends_in_fraction = form.is_some_and(|(plain, _)| plain.contains('⁄'));
                match form {
                    // A fraction is apart from what stands before it.
                    Some((plain, _)) if !plain.contains('⁄') => self.text += plain,
                    Some((plain, _)) if self.text.ends_with(|c: char| !c.is_whitespace()) => self.text += plain,
                    Some((plain, _)) => self.text += plain.trim_start(),
                    None => self.text.push(c),
                }
            }
        }
    }
}
