//! A text that knows where it came from.

use std::ops::Range;

/// Ranges of bytes, ascending and apart.
pub type Ranges = Vec<Range<usize>>;

/// A rendered prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    pub text: String,
    /// The bytes that came with the messages: text, whatever they spell.
    pub data: Ranges,
}

impl Prompt {
    /// Whether some of these bytes came with the messages.
    #[must_use]
    pub fn has_data(&self, bytes: Range<usize>) -> bool {
        let after = self.data.partition_point(|range| range.end <= bytes.start);
        self.data.get(after).is_some_and(|range| range.start < bytes.end)
    }
}

impl From<&str> for Prompt {
    /// A prompt that the caller wrote: all of it may spell special tokens.
    fn from(text: &str) -> Prompt {
        Prompt { text: text.to_owned(), data: Vec::new() }
    }
}
