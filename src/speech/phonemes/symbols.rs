//! The symbols of a dictionary: stress marks, vowels, consonants. Inside, a symbol is a byte.

use std::ops::RangeInclusive;

use super::bytes::Bytes;
use crate::error::{Error, Result, bail};

/// Primary stress, `ˈ`. A stress mark stands right before its vowel.
pub const PRIMARY: u8 = 1;
/// Secondary stress, `ˌ`.
pub const SECONDARY: u8 = 2;
/// Symbols go below this number: a set of them is a `u64`.
pub const LIMIT: u8 = 64;

/// Symbols by number: 1 and 2 are the stress marks, then come the vowels, then the consonants. 0 is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbols {
    chars: Vec<char>,
    n_vowels: u8,
}

impl Symbols {
    pub fn new(vowels: &str, consonants: &str) -> Result<Self> {
        let chars: Vec<char> = "\0ˈˌ".chars().chain(vowels.chars()).chain(consonants.chars()).collect();
        if chars.len() > usize::from(LIMIT) {
            bail!(MalformedDictionary, "the dictionary has {} symbols, {LIMIT} are allowed", chars.len());
        }
        Ok(Symbols { chars, n_vowels: vowels.chars().count() as u8 })
    }

    /// Of a section of the file: the number of bytes of the vowels, the vowels, the consonants.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut bytes = Bytes::new("symbols", bytes);
        let n = usize::from(bytes.u8()?);
        let (vowels, consonants) = (bytes.take(n)?, bytes.rest());
        let text = |bytes| {
            std::str::from_utf8(bytes)
                .map_err(|_| Error::MalformedDictionary("the dictionary's symbols are not UTF-8".into()))
        };
        Symbols::new(text(vowels)?, text(consonants)?)
    }

    /// The section that [`read`](Self::read) takes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = |range: &[char]| range.iter().collect::<String>();
        let first = 3 + usize::from(self.n_vowels);
        let (vowels, consonants) = (text(&self.chars[3..first]), text(&self.chars[first..]));
        [&[vowels.len() as u8], vowels.as_bytes(), consonants.as_bytes()].concat()
    }

    /// Whether a number is that of a symbol.
    #[must_use]
    pub fn has(&self, symbol: u8) -> bool {
        (1..self.chars.len()).contains(&usize::from(symbol))
    }

    /// The numbers of the vowels.
    #[must_use]
    pub fn vowels(&self) -> RangeInclusive<u8> {
        3..=2 + self.n_vowels
    }

    /// Symbols as text.
    #[must_use]
    pub fn text(&self, symbols: &[u8]) -> String {
        symbols.iter().filter_map(|&symbol| self.chars.get(usize::from(symbol))).collect()
    }

    /// The numbers of a text's symbols; `None` where one of them is not here.
    #[must_use]
    pub fn numbers(&self, text: &str) -> Option<Vec<u8>> {
        text.chars().map(|c| self.chars.iter().position(|&symbol| symbol == c).map(|i| i as u8)).collect()
    }
}
