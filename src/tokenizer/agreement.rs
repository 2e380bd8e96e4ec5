//! How much of a text earlier ids already say.

use super::special::Strip;
use super::vocab::Kind;
use super::{Prompt, Tokenizer};

impl Tokenizer {
    /// How many of the `known` ids, and how many bytes of the text, agree up to where a special token stands in the text.
    /// There a text can be cut: what comes after the special token becomes the same ids with and without what is before.
    pub(super) fn agreement(&self, prompt: &Prompt, known: &[u32]) -> (usize, usize) {
        let text = prompt.text.as_str();
        let special_at = |at: usize| match text.is_char_boundary(at) {
            true => self.specials.longest(&text.as_bytes()[at..], &self.vocab, |id| self.reads(prompt, at, id)),
            false => None,
        };
        let mut agreed = (0, 0);
        let mut at = 0;
        // Whether a space stands for what is not in the text (see `space_prefix`).
        let mut space = self.space_prefix;
        for (i, &id) in known.iter().enumerate() {
            let special = special_at(at);
            if special.is_some() {
                agreed = (i, at);
            }
            let is_special = special == Some(id);
            let bytes = self.vocab.bytes(id);
            let bytes = match bytes.strip_prefix(b" ") {
                Some(rest) if space && !is_special => rest,
                _ => bytes,
            };
            space = is_special && self.space_prefix;
            // What a message spells is no special token, though the same bytes once were one.
            let is_forged = self.vocab.kind(id).is_some_and(Kind::is_special) && !self.reads(prompt, at, id);
            if is_forged || !text.as_bytes()[at..].starts_with(bytes) {
                return agreed;
            }
            at += bytes.len();
            if is_special && self.specials.strips(id, Strip::After) && text.is_char_boundary(at) {
                at = text.len() - text[at..].trim_start().len();
            }
        }
        if special_at(at).is_some() {
            agreed = (known.len(), at);
        }
        agreed
    }
}
