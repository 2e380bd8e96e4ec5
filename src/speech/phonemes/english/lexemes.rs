//! A text's words, digits, marks and spaces, one by one; readers look at them through [`At`].

use std::ops::Range;

use super::fold::Folded;
use crate::speech::phonemes::Dictionary;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Letters, with apostrophes inside.
    Word,
    /// Digits from 0 to 9.
    Digits,
    Space,
    /// Any other character.
    Mark(char),
}

#[derive(Debug, Clone)]
pub struct Lexeme {
    pub kind: Kind,
    /// In the folded text.
    pub range: Range<usize>,
}

pub fn lexemes(folded: &Folded) -> Vec<Lexeme> {
    let text = folded.text.as_str();
    let mut lexemes: Vec<Lexeme> = Vec::with_capacity(text.len() / 3);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text.as_bytes()[at..];
        let run = |test: fn(&u8) -> bool| rest.iter().position(|byte| !test(byte)).unwrap_or(rest.len());
        let (kind, len) = match c {
            'a'..='z' | 'A'..='Z' => (Kind::Word, word(rest)),
            '0'..='9' => (Kind::Digits, run(u8::is_ascii_digit)),
            c if c.is_whitespace() => (Kind::Space, c.len_utf8().max(run(u8::is_ascii_whitespace))),
            c => (Kind::Mark(c), c.len_utf8()),
        };
        lexemes.push(Lexeme { kind, range: at..at + len });
        at += len;
    }
    lexemes
}

/// Letters, and apostrophes between letters.
fn word(bytes: &[u8]) -> usize {
    let letter = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_alphabetic);
    (0..).find(|&i| !(letter(i) || (bytes.get(i) == Some(&b'\'') && letter(i + 1)))).unwrap_or(bytes.len())
}

/// A place in a text. Numbers of lexemes are relative to it.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub dictionary: &'a Dictionary,
    pub text: &'a str,
    pub lexemes: &'a [Lexeme],
    pub i: usize,
}

impl<'a> At<'a> {
    pub fn kind(&self, k: isize) -> Option<Kind> {
        self.lexeme(k).map(|lexeme| lexeme.kind)
    }

    fn lexeme(&self, k: isize) -> Option<&'a Lexeme> {
        self.i.checked_add_signed(k).and_then(|i| self.lexemes.get(i))
    }

    fn of(&self, k: isize, kind: Kind) -> Option<&'a str> {
        self.lexeme(k).filter(|lexeme| lexeme.kind == kind).map(|lexeme| &self.text[lexeme.range.clone()])
    }

    pub fn word(&self, k: isize) -> Option<&'a str> {
        self.of(k, Kind::Word)
    }

    pub fn digits(&self, k: isize) -> Option<&'a str> {
        self.of(k, Kind::Digits)
    }

    pub fn is_space(&self, k: isize) -> bool {
        self.kind(k) == Some(Kind::Space)
    }

    pub fn is_mark(&self, k: isize, mark: char) -> bool {
        self.kind(k) == Some(Kind::Mark(mark))
    }

    pub fn mark(&self, k: isize) -> Option<char> {
        match self.kind(k) {
            Some(Kind::Mark(mark)) => Some(mark),
            _ => None,
        }
    }

    /// Whether a word or a number goes on at `k`.
    pub fn is_letter_or_digit(&self, k: isize) -> bool {
        matches!(self.kind(k), Some(Kind::Word | Kind::Digits))
    }

    /// 1 where one blank lies at `k`, 0 where there is none.
    pub fn blank(&self, k: isize) -> isize {
        isize::from(
            self.is_space(k) && self.lexeme(k).is_some_and(|space| !self.text[space.range.clone()].contains('\n')),
        )
    }

    /// The word before, over one space.
    pub fn word_before(&self) -> Option<&'a str> {
        if self.is_space(-1) { self.word(-2) } else { None }
    }

    /// Whether a number or a sign can begin here: nothing that it could belong to stands before it.
    pub fn is_free(&self) -> bool {
        !self.is_letter_or_digit(-1) && !matches!(self.mark(-1), Some('.' | ',' | ')' | '%' | '°'))
    }
}
