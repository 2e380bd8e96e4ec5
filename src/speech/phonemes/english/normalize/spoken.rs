//! What a reader makes of lexemes.

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

    pub fn plus(mut self, n: isize) -> Self {
        self.n += n;
        self
    }
}
