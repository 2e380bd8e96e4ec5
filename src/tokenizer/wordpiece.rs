//! WordPiece as in BERT (Devlin et al. 2018, <https://arxiv.org/abs/1810.04805>; google-research/bert,
//! `tokenization.py`): a word is its longest known beginning, then the longest known continuation, and so on.

use super::prefixes::Prefixes;
use super::unicode::{Categories, Category, CategoryMask, without_marks};
use super::vocab::Vocab;

/// Longer words are unknown (`max_input_chars_per_word`).
const MAX_WORD_CHARS: usize = 100;

/// What is dropped: controls, formats and private use, but not what is unassigned.
const CONTROL: CategoryMask = Category::mask("Cc") | Category::mask("Cf") | Category::mask("Co");
const PUNCTUATION: CategoryMask = Category::mask("P");

#[derive(Debug)]
pub(super) struct WordPiece {
    pub prefixes: Prefixes,
    pub unknown: Option<u32>,
    pub lowercase: bool,
    pub strip_accents: bool,
}

impl WordPiece {
    pub fn encode(&self, text: &str, vocab: &Vocab, out: &mut Vec<u32>) {
        let mut words = Words { word: String::from(" "), encode: |word: &str| self.encode_word(word, vocab, out) };
        for c in text.chars() {
            self.normalize(c, &mut words);
        }
        words.end();
    }

    /// `BasicTokenizer`, a character at a time.
    fn normalize(&self, c: char, words: &mut Words<impl FnMut(&str)>) {
        let is_blank = matches!(c, '\t' | '\n' | '\r');
        if !is_blank && (c == char::REPLACEMENT_CHARACTER || Categories::get().of(c).is_in(CONTROL)) {
            // Dropped, and the word goes on: vertical tab and form feed, too, which are controls before they are
            // white space.
        } else if c.is_whitespace() {
            words.end();
        } else {
            let alone = is_chinese(c);
            if alone {
                words.end();
            }
            let mut lower = |c: char| match self.lowercase {
                true => c.to_lowercase().for_each(|c| words.push(c)),
                false => words.push(c),
            };
            match self.strip_accents {
                true => without_marks(c, lower),
                false => lower(c),
            }
            if alone {
                words.end();
            }
        }
    }

    /// `word` starts with the space that marks the beginning of a word.
    fn encode_word(&self, word: &str, vocab: &Vocab, out: &mut Vec<u32>) {
        let n_before = out.len();
        let mut rest = word.as_bytes();
        let short = word.chars().nth(MAX_WORD_CHARS + 1).is_none();
        while short && let Some(id) = self.prefixes.of(rest, vocab).last() {
            out.push(id);
            rest = &rest[vocab.bytes(id).len()..];
        }
        if !rest.is_empty() {
            out.truncate(n_before);
            out.extend(self.unknown);
        }
    }
}

/// The word in the making, with the space before it.
struct Words<F: FnMut(&str)> {
    word: String,
    encode: F,
}

impl<F: FnMut(&str)> Words<F> {
    fn push(&mut self, c: char) {
        if c.is_ascii_punctuation() || Categories::get().of(c).is_in(PUNCTUATION) {
            self.end();
            self.word.push(c);
            self.end();
        } else {
            self.word.push(c);
        }
    }

    fn end(&mut self) {
        if self.word.len() > 1 {
            (self.encode)(&self.word);
            self.word.truncate(1);
        }
    }
}

/// The CJK ideographs that stand alone (`_is_chinese_char`). The fifth block starts at U+2B920 as in Hugging Face
/// tokenizers, with which the models in use were made, where BERT's own code says U+2B820.
fn is_chinese(c: char) -> bool {
    matches!(c as u32,
        0x4e00..=0x9fff | 0x3400..=0x4dbf | 0x20000..=0x2a6df | 0x2a700..=0x2b73f | 0x2b740..=0x2b81f
        | 0x2b920..=0x2ceaf | 0xf900..=0xfaff | 0x2f800..=0x2fa1f)
}
