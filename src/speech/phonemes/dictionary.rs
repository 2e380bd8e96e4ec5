//! A dictionary: words with their symbols, and the trees for words that are not in it.
//!
//! The file is made for lookups where it lies: words are sorted and front-coded in blocks of 64, so a lookup is a binary search
//! over blocks and a walk through one. All numbers are little-endian.
//!
//! ```text
//! magic "WGPHON", version u16 = 1
//! 6 sections, each a u32 with its length and that many bytes:
//!   symbols         see `symbols.rs`
//!   chunks, trees   see `letters.rs`
//!   blocks          for each block: bytes of its words, bytes of its pronunciations, both u16
//!   words           a byte below 32: letters shared with the word before (0 for the first of a block); the other letters
//!   pronunciations  a byte above 127: 128 + symbols shared with the pronunciation before that is written so (none in the first
//!                   of a block); the other symbols. Or 96: as letter-to-sound says. Then, for some, 64 + a tag and the symbols of
//!                   the word where it is that part of speech; no symbols: the word is spelled.
//! ```

use std::ops::Range;

use super::blocks::{Pronunciations, Words, partition_point, take_while};
use super::bytes::Bytes;
use super::letters::Trees;
use super::symbols::{LIMIT, Symbols};
use crate::error::{Result, bail};

pub const MAGIC: &[u8; 8] = b"WGPHON\x01\0";
/// Words of a block.
pub const BLOCK: usize = 64;
/// Letters that a word can share with the one before, and one more.
pub const MAX_SHARED: u8 = 32;
/// The byte of a pronunciation that is what letter-to-sound says.
pub const BY_LETTERS: u8 = 96;
/// Plus the number of shared symbols: the first byte of a pronunciation that is written.
pub const WRITTEN: u8 = 128;
/// Bytes of a word, and symbols of a pronunciation, at most.
pub const MAX_LEN: usize = 127;

/// When a word with several pronunciations has this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Tag {
    Noun,
    Verb,
    Adjective,
    Adverb,
    /// A past tense.
    Past,
    /// A past participle.
    Participle,
    /// A present tense that is not of the third person.
    Present,
    /// A determiner, as "that" in "that house".
    Determiner,
    /// Nothing follows in the clause.
    Last,
}

impl Tag {
    /// By number, with the names of Kokoro's lexicon.
    pub const NAMES: [(&'static str, Tag); 9] = [
        ("NOUN", Tag::Noun),
        ("VERB", Tag::Verb),
        ("ADJ", Tag::Adjective),
        ("ADV", Tag::Adverb),
        ("VBD", Tag::Past),
        ("VBN", Tag::Participle),
        ("VBP", Tag::Present),
        ("DT", Tag::Determiner),
        ("None", Tag::Last),
    ];
}

/// How a word of the dictionary is pronounced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub phonemes: String,
    /// Other pronunciations; an empty one says that the word is spelled then.
    pub variants: Vec<(Tag, String)>,
}

/// The words of a language, and how to say others.
#[derive(Debug)]
pub struct Dictionary {
    symbols: Symbols,
    trees: Trees,
    /// Of both sections below, by block: where they start. The last is their end.
    blocks: Vec<(usize, usize)>,
    words: Vec<u8>,
    pronunciations: Vec<u8>,
    n_words: usize,
}

impl Dictionary {
    /// Read a file that `scripts/speech/dictionary.py` made. Every word is walked once, so that no lookup can fail later.
    ///
    /// # Errors
    ///
    /// [`MalformedDictionary`](crate::Error::MalformedDictionary) says what was found where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut file = Bytes::new("sections", bytes);
        if bytes.get(..MAGIC.len()) != Some(MAGIC) {
            bail!(
                MalformedDictionary,
                "no dictionary of version 1: the file starts with {:?}",
                &bytes[..bytes.len().min(MAGIC.len())]
            );
        }
        file.take(MAGIC.len())?;
        let mut section = || file.u32().and_then(|n| file.take(n as usize));
        let symbols = Symbols::read(section()?)?;
        let (chunks, trees) = (section()?, section()?);
        let trees = Trees::read(chunks, trees, &symbols)?;
        let mut lengths = Bytes::new("blocks", section()?);
        let (words, pronunciations) = (section()?.to_vec(), section()?.to_vec());
        if !file.is_empty() {
            bail!(MalformedDictionary, "the dictionary has bytes behind its end");
        }
        let mut blocks = vec![(0, 0)];
        let (mut at_words, mut at_pronunciations) = (0, 0);
        while !lengths.is_empty() {
            at_words += usize::from(lengths.u16()?);
            at_pronunciations += usize::from(lengths.u16()?);
            blocks.push((at_words, at_pronunciations));
        }
        if (at_words, at_pronunciations) != (words.len(), pronunciations.len()) {
            bail!(
                MalformedDictionary,
                "the dictionary's blocks have {at_words} and {at_pronunciations} bytes, its sections {} and {}",
                words.len(),
                pronunciations.len()
            );
        }
        let mut dictionary = Dictionary { symbols, trees, blocks, words, pronunciations, n_words: 0 };
        dictionary.n_words = dictionary.check()?;
        Ok(dictionary)
    }

    #[must_use]
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// Number of words.
    #[must_use]
    pub fn n_words(&self) -> usize {
        self.n_words
    }

    /// What is written for a word, in the case that it has here.
    #[must_use]
    pub fn get(&self, word: &str) -> Option<Entry> {
        let word = word.as_bytes();
        // The last block whose first word is not behind the word.
        let block = (self.blocks.len() - 1).checked_sub(1)?;
        let block = partition_point(block + 1, |block| self.first_word(block) <= word).checked_sub(1)?;
        let mut words = Words::new(self.block_words(block));
        let index =
            (0..).map_while(|i| words.next().map(|found| (i, found.cmp(word)))).find(|found| found.1.is_ge())?;
        let (index, std::cmp::Ordering::Equal) = index else { return None };
        let mut pronunciations = Pronunciations::new(self.block_pronunciations(block));
        (0..=index).all(|_| pronunciations.advance()).then(|| self.entry(words.word(), &pronunciations))
    }

    /// Every word, sorted by its bytes.
    pub fn iter(&self) -> impl Iterator<Item = (String, Entry)> {
        (0..self.blocks.len() - 1).flat_map(move |block| {
            let mut words = Words::new(self.block_words(block));
            let mut pronunciations = Pronunciations::new(self.block_pronunciations(block));
            std::iter::from_fn(move || {
                let word = words.next().filter(|_| pronunciations.advance())?;
                Some((String::from_utf8_lossy(word).into_owned(), self.entry(word, &pronunciations)))
            })
        })
    }

    /// How a word sounds by its letters. Case and what is no letter from a to z are not looked at.
    #[must_use]
    pub fn letter_to_sound(&self, word: &str) -> String {
        self.symbols.text(&self.trees.sound(word, &self.symbols))
    }

    fn entry(&self, word: &[u8], at: &Pronunciations) -> Entry {
        let phonemes = match at.by_letters {
            true => self.letter_to_sound(&String::from_utf8_lossy(word)),
            false => self.symbols.text(&at.written),
        };
        let mut variants = Vec::new();
        let mut left = at.variants;
        while let Some((&tag, rest)) = left.split_first() {
            let symbols = take_while(&mut left, rest, |byte| byte < LIMIT);
            let tag = Tag::NAMES.get(usize::from(tag.wrapping_sub(LIMIT)));
            variants.extend(tag.map(|&(_, tag)| (tag, self.symbols.text(symbols))));
        }
        Entry { phonemes, variants }
    }

    fn range(&self, block: usize) -> (Range<usize>, Range<usize>) {
        let (from, to) = (self.blocks[block], self.blocks[block + 1]);
        (from.0..to.0, from.1..to.1)
    }

    fn block_words(&self, block: usize) -> &[u8] {
        &self.words[self.range(block).0]
    }

    fn block_pronunciations(&self, block: usize) -> &[u8] {
        &self.pronunciations[self.range(block).1]
    }

    /// It is written in full.
    fn first_word(&self, block: usize) -> &[u8] {
        let bytes = self.block_words(block).get(1..).unwrap_or_default();
        let end = bytes.iter().position(|&byte| byte < MAX_SHARED).unwrap_or(bytes.len());
        &bytes[..end]
    }

    /// Walk through all words: they must ascend, with a pronunciation each. Returns their number.
    fn check(&self) -> Result<usize> {
        let mut last: Vec<u8> = Vec::new();
        let mut n_words = 0;
        for block in 0..self.blocks.len() - 1 {
            let mut words = Words::new(self.block_words(block));
            let mut n = 0;
            while let Some(shared) = words.bytes.first().copied() {
                let before = if n == 0 { 0 } else { words.word().len() };
                let word = words.next().unwrap_or_default();
                let is_shared = shared < MAX_SHARED && usize::from(shared) <= before;
                let is_text = word.len() <= MAX_LEN && std::str::from_utf8(word).is_ok();
                if !is_shared || !is_text || word <= last.as_slice() {
                    bail!(
                        MalformedDictionary,
                        "word {} of the dictionary, '{}', is out of order, longer than {MAX_LEN} or not UTF-8",
                        n_words + n,
                        String::from_utf8_lossy(word)
                    );
                }
                last.clear();
                last.extend(word);
                n += 1;
            }
            let n_pronunciations = Pronunciations::check(self.block_pronunciations(block), &self.symbols)?;
            if n_pronunciations != n || n == 0 || n > BLOCK {
                bail!(
                    MalformedDictionary,
                    "block {block} of the dictionary has {n} words and {n_pronunciations} pronunciations; up to {BLOCK} of \
                     each are allowed"
                );
            }
            n_words += n;
        }
        Ok(n_words)
    }
}
