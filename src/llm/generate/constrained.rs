//! What a generation may write, token by token.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use super::{GenerateOptions, Session};
use crate::constrain::{Constraint, Format, State, Trie};
use crate::error::{Result, bail};

/// What generations share: the vocabulary's trie, and the last format with the masks that were found for it.
#[derive(Default)]
pub struct Constraints {
    trie: OnceCell<Rc<Trie>>,
    last: RefCell<Option<(Format, Constraint)>>,
}

/// The format of a generation, and where its text is.
pub struct Constrained {
    format: Format,
    constraint: Constraint,
    state: State,
    trie: Rc<Trie>,
    /// The tokens that end a text, if they count.
    ends: Vec<u32>,
}

impl Session {
    /// What a generation may write. A prompt that ends in the beginning of such a text, written by an earlier call, is gone on
    /// with.
    ///
    /// # Errors
    /// As [`Constraint::new`].
    pub(super) fn constrained(&self, prompt: &[u32], options: &GenerateOptions) -> Result<Option<Constrained>> {
        let Some(format) = options.response_format.clone() else { return Ok(None) };
        let tokenizer = &self.text.tokenizer;
        let trie = self.constraints.trie.get_or_init(|| {
            let bytes_of = |id| {
                if tokenizer.is_special(id) || tokenizer.is_end_of_generation(id) {
                    &[]
                } else {
                    tokenizer.token_bytes(id)
                }
            };
            Rc::new(Trie::new(tokenizer.n_vocab(), bytes_of))
        });
        let kept = self.constraints.last.take().filter(|(other, _)| *other == format);
        let constraint = match kept {
            Some((_, constraint)) => constraint,
            None => Constraint::new(&format)?,
        };
        let ends = if options.ignore_end { Vec::new() } else { tokenizer.end_of_generation().to_vec() };
        let state = constraint.start();
        let mut constrained = Constrained { format, constraint, state, trie: trie.clone(), ends };
        for &id in &prompt[prompt.len().saturating_sub(options.earlier.n_generated)..] {
            if !constrained.accept(tokenizer.token_bytes(id))? {
                constrained.state = constrained.constraint.start();
                break;
            }
        }
        Ok(Some(constrained))
    }

    /// Keep what was found for a format.
    pub(super) fn keep_constraint(&self, constrained: Constrained) {
        self.constraints.last.replace(Some((constrained.format, constrained.constraint)));
    }
}

impl Constrained {
    /// The tokens that may come next: a bit each, 32 to a word.
    ///
    /// # Errors
    /// `UnsupportedTokenizer` if the vocabulary has none; as [`Constraint::mask`].
    pub fn allowed(&mut self) -> Result<Vec<u32>> {
        let mut mask = self.constraint.mask(&self.trie, self.state)?.to_vec();
        if self.constraint.may_end(self.state) {
            for &id in &self.ends {
                if let Some(word) = mask.get_mut(id as usize / 32) {
                    *word |= 1 << (id % 32);
                }
            }
        }
        if mask.iter().all(|&word| word == 0) {
            bail!(UnsupportedTokenizer, "no token of the vocabulary can come next in the response format");
        }
        Ok(mask)
    }

    /// Go on after a token of these bytes. False, and nothing is changed, if it is not allowed.
    ///
    /// # Errors
    /// As [`Constraint::advance`].
    pub fn accept(&mut self, bytes: &[u8]) -> Result<bool> {
        let next = self.constraint.advance(self.state, bytes)?;
        self.state = next.unwrap_or(self.state);
        Ok(next.is_some())
    }

    /// Whether nothing may follow.
    pub fn is_over(&mut self) -> bool {
        self.constraint.must_end(self.state)
    }
}
