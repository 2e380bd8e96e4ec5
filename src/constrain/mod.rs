//! Texts that a model may write: JSON of a schema, what a regular expression or a grammar matches, one of several.
//!
//! Each of these becomes a [term](term): a language of bytes in a small algebra (bytes, sequences, alternatives, counted
//! repetitions, intersections, rules that may stand in themselves). The state of a text is a term, too: what may still
//! follow, found byte by byte as a derivative ([derive]). Of a state, [mask] finds the tokens that keep it alive, by walking
//! the vocabulary's [trie]. So it is exact: no token is allowed after which the text could not be finished, and none
//! is forbidden that can begin one of the texts.
//!
//! There is no model in it and no GPU: pages fetch it as a wasm of its own.

mod by_id;
mod bytes;
mod chars;
mod derive;
mod formats;
mod gbnf;
mod json;
mod mask;
mod number;
#[cfg(test)]
mod random;
mod regex;
mod rules;
mod schema;
mod term;
mod trie;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::rc::Rc;

use mask::Masks;
use term::{EMPTY, Id, NOTHING, Terms};
pub use trie::Trie;
pub use vocabulary::{Constrained, Vocabulary};

use crate::error::{Result, bail};

/// What texts are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json,
    /// A JSON value of a schema, which is JSON itself.
    JsonSchema(String),
    /// What a regular expression matches as a whole.
    Regex(String),
    /// What a grammar in GBNF makes of `root`.
    Grammar(String),
    /// One of these texts.
    Choice(Vec<String>),
}

/// Texts to choose from, and their bytes.
const MAX_CHOICES: usize = 10_000;
const MAX_CHOICE_BYTES: usize = 1 << 20;

impl Format {
    /// By the name that users know, with its argument.
    ///
    /// # Errors
    /// `InvalidArgument` if there is no format of this name.
    pub fn from_name(name: &str, text: String, choices: Vec<String>) -> Result<Format> {
        Ok(match name {
            "json" => Format::Json,
            "json_schema" => Format::JsonSchema(text),
            "regex" => Format::Regex(text),
            "grammar" => Format::Grammar(text),
            "choice" => Format::Choice(choices),
            _ => {
                let allowed = "'json', 'json_schema', 'regex', 'grammar' or 'choice'";
                bail!(InvalidArgument, "the type of the response format is '{name}', {allowed} is allowed");
            }
        })
    }
}

/// A format, ready to be used, and the masks of the states met so far.
pub struct Constraint {
    terms: Terms,
    masks: Masks,
    start: Id,
}

/// Where a text is: what may still follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State(Id);

impl Constraint {
    /// # Errors
    /// `InvalidArgument` that says what in the format is wrong, too large or not supported, or that no text is allowed.
    pub fn new(format: &Format) -> Result<Constraint> {
        let mut terms = Terms::default();
        let t = &mut terms;
        let root = match format {
            Format::Json => schema::schema(t, r#"{"type":"object"}"#)?,
            Format::JsonSchema(schema) => schema::schema(t, schema)?,
            Format::Regex(pattern) => regex::regex(t, pattern, chars::Spelling::Utf8, regex::Scope::Whole)?,
            Format::Grammar(grammar) => gbnf::gbnf(t, grammar)?,
            Format::Choice(choices) => {
                let n_bytes: usize = choices.iter().map(String::len).sum();
                if choices.is_empty() || choices.len() > MAX_CHOICES || n_bytes > MAX_CHOICE_BYTES {
                    let found = format!("{} with {n_bytes} bytes", choices.len());
                    bail!(
                        InvalidArgument,
                        "there are {found} choices; 1 to {MAX_CHOICES} of {MAX_CHOICE_BYTES} bytes are allowed"
                    );
                }
                let choices: Vec<Id> = choices.iter().map(|choice| t.text(choice)).collect();
                t.alt(&choices)
            }
        };
        let start = terms.finish(root)?;
        if start == NOTHING {
            bail!(InvalidArgument, "the response format allows no text at all: its parts contradict each other");
        }
        Ok(Constraint { terms, masks: Masks::default(), start })
    }

    #[must_use]
    pub fn start(&self) -> State {
        State(self.start)
    }

    /// The state after more bytes; `None` where they are not allowed.
    ///
    /// # Errors
    /// `InvalidArgument` if the format turns out to be too large.
    pub fn advance(&mut self, state: State, bytes: &[u8]) -> Result<Option<State>> {
        let mut at = state.0;
        for &byte in bytes {
            at = self.terms.step(at, byte);
        }
        self.terms.check()?;
        Ok((at != NOTHING).then_some(State(at)))
    }

    /// Whether the text may end here.
    pub fn may_end(&mut self, state: State) -> bool {
        self.terms.ends(state.0)
    }

    /// Whether the text must end here: nothing may follow.
    pub fn must_end(&mut self, state: State) -> bool {
        state.0 == EMPTY || (0..=255).all(|byte| self.terms.step(state.0, byte) == NOTHING)
    }

    /// The tokens that may come next: a bit each, 32 to a word. Those that end the text are not among them.
    ///
    /// # Errors
    /// `InvalidArgument` if the format turns out to be too large.
    pub fn mask(&mut self, trie: &Trie, state: State) -> Result<Rc<[u32]>> {
        let mask = self.masks.of(&mut self.terms, trie, state.0);
        self.terms.check()?;
        Ok(mask)
    }
}
