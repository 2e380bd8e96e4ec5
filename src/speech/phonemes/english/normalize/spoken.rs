//! What a reader makes of lexemes.

use crate::speech::phonemes::english::lexemes::At;

/// A word as it is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// A word of the language.
    Word(String),
    /// Letters, each by its name.
    Spell(String),
    /// A mark that voices know.
    Mark(char),
}

/// Words that stand for lexemes, and the number of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub n: isize,
    pub say: Vec<Say>,
}

impl Reading {
    /// Words with spaces between them.
    pub fn words(n: isize, words: &str) -> Self {
        Reading { n, say: Vec::new() }.and(words)
    }

    pub fn spell(n: isize, letters: &str) -> Self {
        Reading { n, say: Vec::new() }.and_spell(letters)
    }

    pub fn and(mut self, words: &str) -> Self {
        self.say.extend(words.split(' ').filter(|word| !word.is_empty()).map(|word| Say::Word(word.into())));
        self
    }

    pub fn and_spell(mut self, letters: &str) -> Self {
        self.say.push(Say::Spell(letters.into()));
        self
    }

    pub fn and_mark(mut self, mark: char) -> Self {
        self.say.push(Say::Mark(mark));
        self
    }

    /// What comes behind it.
    pub fn then(mut self, next: Reading) -> Self {
        self.n += next.n;
        self.say.extend(next.say);
        self
    }

    /// With "to" and what `read` finds behind a dash: "10%–20%", "9am-5pm".
    pub fn to(self, at: &At, read: impl Fn(&At) -> Option<Reading>) -> Self {
        let dash = matches!(at.mark(self.n), Some('-' | '–')) && !at.is_space(self.n + 1);
        let end = dash.then(|| at.i.checked_add_signed(self.n + 1)).flatten().and_then(|i| read(&At { i, ..*at }));
        match end {
            Some(end) => self.plus(1).and("to").then(end),
            None => self,
        }
    }

    pub fn plus(mut self, n: isize) -> Self {
        self.n += n;
        self
    }
}
