//! Strings that know which of their bytes came from the messages.

use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use super::budget::{Budget, MAX_TEXT_BYTES, OVERHEAD};
use super::{Result, fault};
use crate::tokenizer::{Prompt, Ranges};

/// A string of a template. What is added, cut, replaced or joined keeps the origin of each byte.
#[derive(Clone)]
pub struct Str(Rc<Inner>);

struct Inner {
    text: Box<str>,
    /// The bytes that came with the messages or other variables.
    data: Box<[Range<usize>]>,
    /// Python's `Markup`: escaped for HTML already.
    safe: bool,
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl From<&str> for Str {
    /// The template's own text.
    fn from(text: &str) -> Str {
        Str(Rc::new(Inner { text: text.into(), data: Box::default(), safe: false }))
    }
}

impl Str {
    /// Text of a message or another variable.
    #[must_use]
    pub fn data(text: &str) -> Str {
        let data = (!text.is_empty()).then_some(0..text.len()).into_iter().collect();
        Str(Rc::new(Inner { text: text.into(), data, safe: false }))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// This text with another after it.
    #[must_use]
    pub fn followed_by(&self, other: &Str) -> Str {
        let (a, b) = (&self.0, &other.0);
        let mut data = a.data.to_vec();
        for range in b.data.iter().map(|range| range.start + a.text.len()..range.end + a.text.len()) {
            match data.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => data.push(range),
            }
        }
        let text = [&*a.text, &*b.text].concat().into();
        Str(Rc::new(Inner { text, data: data.into(), safe: a.safe && b.safe }))
    }

    pub(super) fn is_safe(&self) -> bool {
        self.0.safe
    }

    pub(super) fn with_safe(&self, safe: bool) -> Str {
        if safe == self.0.safe {
            return self.clone();
        }
        Str(Rc::new(Inner { text: self.0.text.clone(), data: self.0.data.clone(), safe }))
    }

    /// Whether the character at `at` came with the messages.
    pub(super) fn is_data(&self, at: usize) -> bool {
        let after = self.0.data.partition_point(|range| range.end <= at);
        self.0.data.get(after).is_some_and(|range| range.start <= at)
    }

    /// The bytes of a range as a string of their own.
    pub(super) fn slice(&self, range: Range<usize>, budget: &Budget) -> Result<Str> {
        if range == (0..self.as_str().len()) {
            return Ok(self.clone());
        }
        let mut out = Builder::new(budget);
        out.push_slice(self, range);
        Ok(out.finish()?.with_safe(self.is_safe()))
    }

    /// Each character through `map`, which writes what it becomes.
    pub(super) fn map(&self, budget: &Budget, mut map: impl FnMut(char, &mut String)) -> Result<Str> {
        let mut out = Builder::new(budget);
        let mut buffer = String::new();
        for (at, c) in self.as_str().char_indices() {
            buffer.clear();
            map(c, &mut buffer);
            out.push_str(&buffer, self.is_data(at));
        }
        Ok(out.finish()?.with_safe(self.is_safe()))
    }
}

/// A string in the making.
pub(super) struct Builder<'b> {
    text: String,
    data: Ranges,
    budget: &'b Budget,
    is_full: bool,
}

impl<'b> Builder<'b> {
    pub fn new(budget: &'b Budget) -> Builder<'b> {
        Builder { text: String::new(), data: Vec::new(), budget, is_full: false }
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn push_str(&mut self, text: &str, is_data: bool) {
        let start = self.text.len();
        // What is beyond the limit is not kept; `finish` says so.
        self.is_full |= start + text.len() > MAX_TEXT_BYTES;
        if self.is_full {
            return;
        }
        self.text.push_str(text);
        if is_data && !text.is_empty() {
            self.mark(start..self.text.len());
        }
    }

    fn mark(&mut self, range: Range<usize>) {
        match self.data.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.data.push(range),
        }
    }

    /// Text of the template's own.
    pub fn write(&mut self, text: &str) {
        self.push_str(text, false);
    }

    /// Text of the template's own, `n` times.
    pub fn repeat(&mut self, text: &str, n: usize) {
        match text.len().saturating_mul(n) {
            0..=MAX_TEXT_BYTES => self.write(&text.repeat(n)),
            _ => self.is_full = true,
        }
    }

    /// A string, `n` times.
    pub fn push_times(&mut self, text: &Str, n: usize) {
        if text.0.data.is_empty() {
            return self.repeat(text.as_str(), n);
        }
        for _ in 0..n {
            if self.is_full {
                return;
            }
            self.push(text);
        }
    }

    pub fn push(&mut self, text: &Str) {
        self.push_slice(text, 0..text.as_str().len());
    }

    pub fn push_slice(&mut self, text: &Str, range: Range<usize>) {
        let start = self.text.len();
        self.push_str(&text.as_str()[range.clone()], false);
        if self.is_full {
            return;
        }
        let first = text.0.data.partition_point(|data| data.end <= range.start);
        for data in &text.0.data[first..] {
            if data.start >= range.end {
                break;
            }
            let (from, to) = (data.start.max(range.start), data.end.min(range.end));
            self.mark(start + from - range.start..start + to - range.start);
        }
    }

    fn check(&self) -> Result<()> {
        if self.is_full {
            fault!("the template makes a text of more than {} MB", MAX_TEXT_BYTES >> 20);
        }
        self.budget.bytes(OVERHEAD + self.text.len() + self.data.len() * size_of::<Range<usize>>())
    }

    pub fn finish(self) -> Result<Str> {
        self.check()?;
        Ok(Str(Rc::new(Inner { text: self.text.into(), data: self.data.into(), safe: false })))
    }

    pub fn into_prompt(self) -> Result<Prompt> {
        self.check()?;
        Ok(Prompt { text: self.text, data: self.data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_their_origin() {
        let budget = Budget::default();
        let mut out = Builder::new(&budget);
        out.write("<a>");
        out.push(&Str::data("héllo"));
        out.push(&Str::data(" you"));
        out.write("</a>");
        let text = out.finish().unwrap();
        assert_eq!(format!("{:?}", text.0.data), "[3..13]");
        let cut = text.slice(1..6, &budget).unwrap();
        assert_eq!((cut.as_str(), format!("{:?}", cut.0.data)), ("a>hé", "[2..5]".into()));
        let upper = cut.map(&budget, |c, out| out.extend(c.to_uppercase())).unwrap();
        assert_eq!((upper.as_str(), format!("{:?}", upper.0.data)), ("A>HÉ", "[2..5]".into()));
        assert!(upper.is_data(2) && !upper.is_data(1));
    }

    #[test]
    fn a_text_has_a_limit() {
        let budget = Budget::default();
        let mut out = Builder::new(&budget);
        out.repeat(&"x".repeat(1 << 20), 17);
        assert_eq!(out.finish().unwrap_err().message, "the template makes a text of more than 16 MB");
    }
}
