//! Formats and a model's vocabulary: what may come next, token by token.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Constraint, Format, State, Trie};
use crate::error::{Result, bail};

/// The tokens of a model. It keeps the last format, with the masks that were found for it.
pub struct Vocabulary {
    trie: Trie,
    /// The tokens that end a text.
    ends: Vec<u32>,
    last: RefCell<Option<(Format, Shared)>>,
}

type Shared = Rc<RefCell<Constraint>>;

/// A text of a format, and where it is.
pub struct Constrained {
    vocabulary: Rc<Vocabulary>,
    constraint: Shared,
    state: State,
    may_stop: bool,
}

impl Vocabulary {
    /// Of tokens with these bytes, none for those that are in no text; `ends` are the tokens that end one.
    pub fn new<'a>(n_tokens: u32, bytes_of: impl Fn(u32) -> &'a [u8], ends: Vec<u32>) -> Rc<Vocabulary> {
        Rc::new(Vocabulary { trie: Trie::new(n_tokens, bytes_of), ends, last: RefCell::default() })
    }

    /// A text of a format; `may_stop` if an end token may end it.
    ///
    /// # Errors
    /// As [`Constraint::new`].
    pub fn begin(self: &Rc<Self>, format: Format, may_stop: bool) -> Result<Constrained> {
        let kept = self.last.borrow().as_ref().filter(|(other, _)| *other == format).map(|(_, shared)| shared.clone());
        let constraint = match kept {
            Some(shared) => shared,
            None => Rc::new(RefCell::new(Constraint::new(&format)?)),
        };
        self.last.replace(Some((format, constraint.clone())));
        let state = constraint.borrow().start();
        Ok(Constrained { vocabulary: self.clone(), constraint, state, may_stop })
    }
}

impl Constrained {
    /// The tokens that may come next: a bit each, 32 to a word.
    ///
    /// # Errors
    /// `UnsupportedTokenizer` if the vocabulary has none; as [`Constraint::mask`].
    pub fn allowed(&mut self) -> Result<Vec<u32>> {
        let mut constraint = self.constraint.borrow_mut();
        let mut mask = constraint.mask(&self.vocabulary.trie, self.state)?.to_vec();
        if self.may_stop && constraint.may_end(self.state) {
            for &id in &self.vocabulary.ends {
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

    /// Go on after these bytes. False, and nothing is changed, if they are not allowed.
    ///
    /// # Errors
    /// As [`Constraint::advance`].
    pub fn accept(&mut self, bytes: &[u8]) -> Result<bool> {
        let next = self.constraint.borrow_mut().advance(self.state, bytes)?;
        self.state = next.unwrap_or(self.state);
        Ok(next.is_some())
    }

    /// Whether nothing may follow.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.constraint.borrow_mut().must_end(self.state)
    }
}
