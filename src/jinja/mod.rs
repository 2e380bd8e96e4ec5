//! Jinja2 as chat templates need it: the language, filters, tests and methods of Python that a template can reach, in
//! the sandbox of Hugging Face transformers (`ImmutableSandboxedEnvironment`, `trim_blocks`, `lstrip_blocks`, loop
//! controls, `{% generation %}`).
//!
//! An engine of our own, because three things need one. Values compare, print and fail as Python's do. Each byte of text
//! knows whether the template wrote it or the messages did ([`Str`]), so that no message can forge a special token. And
//! every step, copied byte and level of nesting is counted ([`Budget`]), so that a hostile template ends.

mod ast;
mod budget;
mod builtins;
mod call;
mod dict;
mod eval;
mod filters;
mod float;
mod format;
mod json;
mod lexer;
mod loops;
mod methods;
mod ops;
mod parser;
mod scope;
mod sort;
mod strings;
mod tests;
mod text;
mod time;
mod value;

pub use json::parse as parse_json;
pub use text::Str;
pub use time::CivilTime;
pub use value::Value;

use std::fmt;
use std::rc::Rc;

use ast::Stmt;
use budget::Budget;
use eval::Interpreter;
use scope::Scope;

use crate::tokenizer::Prompt;

/// What went wrong, and in which line of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    pub line: Option<u32>,
}

impl Fault {
    fn new(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), line: None }
    }

    /// Names the line, unless an inner one is named.
    fn at(mut self, line: u32) -> Fault {
        self.line.get_or_insert(line);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

type Result<T, E = Fault> = std::result::Result<T, E>;

/// Fail with a formatted message.
macro_rules! fault {
    ($($message:tt)*) => { return Err($crate::jinja::Fault::new(format!($($message)*))) };
}
use fault;

/// A template, parsed.
#[derive(Debug, Clone)]
pub struct Template {
    body: Rc<[Stmt]>,
}

impl Template {
    /// # Errors
    /// A [`Fault`] with the line where the source is no template.
    pub fn new(source: &str) -> Result<Template> {
        let tokens = lexer::tokens(source)?;
        Ok(Template { body: parser::parse(tokens)?.into() })
    }

    /// Renders with variables by name; later ones hide earlier ones.
    ///
    /// # Errors
    /// A [`Fault`] with the line where the template fails, or takes more than a template may.
    pub fn render(&self, variables: impl IntoIterator<Item = (String, Value)>, now: CivilTime) -> Result<Prompt> {
        let budget = Budget::default();
        let scope = Scope::root();
        for (name, value) in variables {
            scope.set(&name, value);
        }
        Interpreter::new(&budget, now).render(&self.body, &scope)
    }
}
