//! Generations whose tokens somebody else allows, one by one.

#[cfg(feature = "constrain")]
use std::rc::Rc;

#[cfg(feature = "constrain")]
use super::Session;
#[cfg(feature = "constrain")]
use crate::constrain::{Constrained, Format, Vocabulary};
use crate::error::Result;

/// Who says which tokens may come next. Natively it is [`crate::constrain`]; in a page that is a wasm of its own, fetched
/// when the first call needs it.
pub trait Constraint {
    /// The tokens that may come next: a bit each, 32 to a word.
    ///
    /// # Errors
    /// What stands in the way; the generation ends with it.
    fn allowed(&mut self) -> Result<Vec<u32>>;

    /// Go on after these bytes. False, and nothing is changed, if they are not allowed.
    ///
    /// # Errors
    /// As [`Constraint::allowed`].
    fn accept(&mut self, bytes: &[u8]) -> Result<bool>;

    /// Whether nothing may follow.
    ///
    /// # Errors
    /// As [`Constraint::allowed`].
    fn is_over(&mut self) -> Result<bool>;
}

#[cfg(feature = "constrain")]
impl Constraint for Constrained {
    fn allowed(&mut self) -> Result<Vec<u32>> {
        Constrained::allowed(self)
    }

    fn accept(&mut self, bytes: &[u8]) -> Result<bool> {
        Constrained::accept(self, bytes)
    }

    fn is_over(&mut self) -> Result<bool> {
        Ok(Constrained::is_over(self))
    }
}

#[cfg(feature = "constrain")]
impl Session {
    /// A reply of a format, for [`Session::generate_within`]; `may_stop` if an end token may end it.
    ///
    /// # Errors
    /// `InvalidArgument` that says what in the format is wrong, too large or not supported.
    pub fn constraint(&self, format: Format, may_stop: bool) -> Result<Box<dyn Constraint>> {
        let vocabulary = self.vocabulary.get_or_init(|| {
            let tokenizer = &self.text.tokenizer;
            let ends = tokenizer.end_of_generation().to_vec();
            Vocabulary::new(tokenizer.n_vocab(), |id| tokenizer.text_bytes(id), ends)
        });
        Ok(Box::new(Rc::clone(vocabulary).begin(format, may_stop)?))
    }
}
