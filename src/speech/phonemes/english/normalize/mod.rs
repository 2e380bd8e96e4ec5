//! Text to spoken words: a list of readers, each of which knows one kind of writing.
//!
//! A reader looks at the lexemes from one place on. It says how many it took and what they sound like, or nothing. The first reader
//! that says something counts, so what is special comes before what is general.

mod abbreviations;
mod addresses;
mod codes;
mod dates;
mod marks;
mod money;
mod number;
mod numerals;
mod quantity;
mod roman;
mod spoken;
mod times;
mod units;
mod words;

use std::ops::Range;

pub use abbreviations::is_abbreviation;
pub use spoken::{Reading, Say};

use super::fold::Folded;
use super::lexemes::{At, lexemes};
use crate::speech::phonemes::Dictionary;

/// A part of the text, and what is said for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// Whether a space stands before it.
    pub spaced: bool,
    /// Nothing at all: it cannot be said. An empty list: it has no sound, as the hyphen of "well-known".
    pub say: Option<Vec<Say>>,
}

/// Lexemes that a reader looks ahead, where its kind of writing has no end of its own: a text of one chain takes no longer than
/// another.
const MAX_LEXEMES: isize = 100;

const READERS: [fn(&At) -> Option<Reading>; 13] = [
    words::plain,
    addresses::read,
    dates::read,
    times::read,
    money::read,
    quantity::read,
    codes::read,
    abbreviations::read,
    roman::read,
    units::alone,
    words::read,
    quantity::rest,
    marks::read,
];

/// All parts of a text, in order. Only white space is in none of them.
pub fn normalize(text: &str, dictionary: &Dictionary) -> Vec<Passage> {
    let folded = Folded::new(text);
    let lexemes = lexemes(&folded);
    let mut parts = Vec::with_capacity(lexemes.len() / 2);
    let mut at = At { dictionary, text: &folded.text, lexemes: &lexemes, i: 0 };
    let (mut spaced, mut end) = (false, 0);
    while at.i < lexemes.len() {
        if at.is_space(0) {
            spaced = true;
            at.i += 1;
            continue;
        }
        let reading = READERS.iter().find_map(|read| read(&at));
        let n = reading.as_ref().map_or(1, |reading| reading.n.max(1) as usize).min(lexemes.len() - at.i);
        let mut range = folded.source(lexemes[at.i].range.start..lexemes[at.i + n - 1].range.end);
        // A character can be of two parts, as "℃" in "℃s"; the first one has it.
        if range.end > end {
            range.start = range.start.max(end);
        }
        end = range.end;
        parts.push(Passage { range, spaced, say: reading.map(|reading| reading.say) });
        spaced = false;
        at.i += n;
    }
    parts
}
