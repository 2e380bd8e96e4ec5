//! Walking through a block of a dictionary: its words, and their pronunciations. `dictionary.rs` has the format.

use super::dictionary::{BY_LETTERS, MAX_LEN, MAX_SHARED, Tag, WRITTEN};
use super::symbols::{LIMIT, Symbols};
use crate::error::{Result, bail};

/// How many of `0..n` come before the first for which `before` is false.
pub fn partition_point(n: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = (low + high) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// The words of a block.
pub struct Words<'a> {
    pub bytes: &'a [u8],
    word: [u8; MAX_LEN + 1],
    len: usize,
}

impl<'a> Words<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Words { bytes, word: [0; MAX_LEN + 1], len: 0 }
    }

    pub fn word(&self) -> &[u8] {
        &self.word[..self.len]
    }

    pub fn next(&mut self) -> Option<&[u8]> {
        let (&shared, rest) = self.bytes.split_first()?;
        let end = rest.iter().position(|&byte| byte < MAX_SHARED).unwrap_or(rest.len());
        let shared = usize::from(shared).min(self.len);
        // One byte more than allowed shows that a word is too long.
        self.len = (shared + end).min(self.word.len());
        self.word[shared..self.len].copy_from_slice(&rest[..self.len - shared]);
        self.bytes = &rest[end..];
        Some(self.word())
    }
}

/// The pronunciations of a block, where one stands.
pub struct Pronunciations<'a> {
    bytes: &'a [u8],
    /// The last one that is written.
    pub written: Vec<u8>,
    pub by_letters: bool,
    /// Tags with their symbols.
    pub variants: &'a [u8],
}

impl<'a> Pronunciations<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Pronunciations { bytes, written: Vec::new(), by_letters: false, variants: &[] }
    }

    /// Go to the next one. Returns whether there is one.
    pub fn advance(&mut self) -> bool {
        let Some((&head, rest)) = self.bytes.split_first() else { return false };
        let symbols = take_while(&mut self.bytes, rest, |byte| byte < LIMIT);
        self.by_letters = head == BY_LETTERS;
        if let Some(shared) = head.checked_sub(WRITTEN) {
            self.written.truncate(usize::from(shared));
            self.written.extend(symbols);
        }
        let rest = self.bytes;
        self.variants = take_while(&mut self.bytes, rest, |byte| byte < BY_LETTERS);
        true
    }

    /// Returns the number of pronunciations.
    pub fn check(bytes: &[u8], symbols: &Symbols) -> Result<usize> {
        let tags = LIMIT..LIMIT + Tag::NAMES.len() as u8;
        let says = |byte: u8| symbols.has(byte) || tags.contains(&byte) || byte == BY_LETTERS || byte >= WRITTEN;
        if let Some(byte) = bytes.iter().find(|&&byte| !says(byte)) {
            bail!(MalformedDictionary, "a pronunciation of the dictionary has byte {byte}, which says nothing");
        }
        let mut pronunciations = Pronunciations::new(bytes);
        let mut n = 0;
        while let Some(&head) = pronunciations.bytes.first() {
            let (before, bytes) = (pronunciations.written.len(), pronunciations.bytes);
            pronunciations.advance();
            let symbol_behind = head == BY_LETTERS && bytes.get(1).is_some_and(|&byte| byte < LIMIT);
            let shares_more = head >= WRITTEN && usize::from(head - WRITTEN) > before;
            if head < BY_LETTERS || symbol_behind || shares_more || pronunciations.written.len() > MAX_LEN {
                bail!(
                    MalformedDictionary,
                    "pronunciation {n} of a block of the dictionary starts with byte {head}, behind one of {before} symbols; up \
                     to {MAX_LEN} are allowed"
                );
            }
            n += 1;
        }
        Ok(n)
    }
}

/// Cut off what fulfils `test` at the start of `bytes`; `left` is what comes then.
pub fn take_while<'a>(left: &mut &'a [u8], bytes: &'a [u8], test: impl Fn(u8) -> bool) -> &'a [u8] {
    let end = bytes.iter().position(|&byte| !test(byte)).unwrap_or(bytes.len());
    let (taken, rest) = bytes.split_at(end);
    *left = rest;
    taken
}
