//! Text to phonemes: the symbols that a voice of Kokoro's family reads.
//!
//! 1. A text is normalised: numbers, dates, money, abbreviations, addresses and signs become words (`english/normalize/`).
//! 2. A word is looked up in the dictionary, then in other cases, then as a word with endings, a prefix, or of two words.
//! 3. What is left is read letter by letter, by decision trees that were grown from the dictionary ([`letters`]).
//! 4. Words with several pronunciations, and those that change before others, are chosen by their neighbours.
//!
//! Nothing is left out in silence: [`Phonemized::dropped`] lists what cannot be said.
//!
//! A language is a folder beside `english/` and a dictionary of its own.

mod blocks;
mod bytes;
pub mod dictionary;
pub mod english;
pub mod letters;
pub mod symbols;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use dictionary::Dictionary;

/// Turns texts into phonemes, with a dictionary of American English.
#[derive(Debug, Clone, Copy)]
pub struct Phonemizer<'a> {
    dictionary: &'a Dictionary,
}

/// What is said for a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phonemized {
    /// Words with spaces between them, and the marks `;:,.!?—…"()“”`. Words have the dictionary's symbols and `ɐ`.
    pub phonemes: String,
    pub words: Vec<Word>,
    /// Bytes of the text that nothing is said for, since nothing is known to say: emoji, other scripts, drawings.
    pub dropped: Vec<Range<usize>>,
}

/// A spoken word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Bytes of the text that it comes from. "$5" is one range and two words.
    pub range: Range<usize>,
    /// As it is written out: "five". Letters that are spelled have spaces between them.
    pub spoken: String,
    pub phonemes: String,
    pub source: Source,
}

/// Where a word's phonemes are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// It is in the dictionary.
    Dictionary,
    /// What it is made of is: a stem with an ending or a prefix, two words, a contraction.
    Derived,
    /// It is read letter by letter.
    LetterToSound,
    /// Its letters are named.
    Spelled,
}

impl<'a> Phonemizer<'a> {
    #[must_use]
    pub fn new(dictionary: &'a Dictionary) -> Self {
        Phonemizer { dictionary }
    }

    /// The phonemes of a text of any length. It takes time in proportion to the text.
    #[must_use]
    pub fn phonemize(&self, text: &str) -> Phonemized {
        english::phonemize(text, self.dictionary)
    }

    /// The text cut into sentences, for a voice that begins to speak before all of it is done. Abbreviations, decimals and
    /// initials end no sentence; quotation marks and brackets go with the sentence that they close. Sentences have no white space
    /// around them; only white space is in none of them.
    #[must_use]
    pub fn sentences<'t>(&self, text: &'t str) -> Vec<&'t str> {
        english::sentences(text, self.dictionary)
    }
}
