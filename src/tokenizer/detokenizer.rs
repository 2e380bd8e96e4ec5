//! Tokens to text, as they come.

use super::{Algorithm, Tokenizer};

/// How tokens become text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Show control tokens, such as `<|im_end|>`, which otherwise give no text.
    pub show_special: bool,
    /// The text goes on from another: its first space is its own and stays. Otherwise tokenizers that put a
    /// space before a text take it away again.
    pub continues: bool,
}

/// Turns tokens into text one at a time. What it returns is always whole characters: the bytes of an unfinished
/// one wait for the next token.
#[derive(Debug, Clone)]
pub struct Detokenizer {
    options: DecodeOptions,
    /// The beginning of a character.
    pending: Vec<u8>,
    at_start: bool,
}

impl Detokenizer {
    #[must_use]
    pub fn new(options: DecodeOptions) -> Detokenizer {
        Detokenizer { options, pending: Vec::new(), at_start: !options.continues }
    }

    /// The text that is certain now that the token is there.
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32) -> String {
        if tokenizer.is_special(id) && !self.options.show_special {
            return String::new();
        }
        let mut bytes = tokenizer.token_bytes(id);
        if self.at_start && !bytes.is_empty() {
            self.at_start = false;
            if tokenizer.strips_first_space() {
                bytes = bytes.strip_prefix(b" ").unwrap_or(bytes);
            }
        }
        self.pending.extend_from_slice(bytes);
        self.take()
    }

    /// The rest of the text: U+FFFD where a character was left unfinished.
    pub fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        text
    }

    /// Takes the whole characters off `pending`. Bytes that no further one can make valid are U+FFFD.
    fn take(&mut self) -> String {
        let mut text = String::new();
        let mut rest = self.pending.as_slice();
        for chunk in self.pending.utf8_chunks() {
            text.push_str(chunk.valid());
            rest = &rest[chunk.valid().len()..];
            let invalid = chunk.invalid();
            let unfinished = invalid.len() == rest.len()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if unfinished {
                break;
            }
            if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            rest = &rest[invalid.len()..];
        }
        let n_taken = self.pending.len() - rest.len();
        self.pending.drain(..n_taken);
        text
    }
}

impl Tokenizer {
    /// Whether the first space of a text is one that `encode` put there.
    fn strips_first_space(&self) -> bool {
        self.space_prefix || matches!(self.algorithm, Algorithm::WordPiece(_))
    }
}
