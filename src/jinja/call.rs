//! What can be called, and what it is called with.

use std::cell::Cell;
use std::rc::Rc;

use super::ast::Macro;
use super::scope::Scope;
use super::text::Str;
use super::value::Value;
use super::{Result, fault};

#[derive(Debug)]
pub enum Callable {
    Function(&'static str),
    /// A method of a value.
    Method(Value, &'static str),
    Macro(Rc<Macro>, Rc<Scope>),
    Cycler(Vec<Value>, Cell<usize>),
    /// Gives nothing at first, then its text.
    Joiner(Str, Cell<bool>),
}

/// The arguments of a call.
#[derive(Debug, Default)]
pub struct Args {
    pub positional: Vec<Value>,
    pub named: Vec<(String, Value)>,
}

impl Args {
    /// The arguments of parameters by name or place; the first `n_required` must be there.
    ///
    /// # Errors
    /// Where there are too many, too few, or one that has no such parameter.
    pub fn bind<const N: usize>(self, what: &str, names: [&str; N], n_required: usize) -> Result<[Option<Value>; N]> {
        if self.positional.len() > N {
            fault!("{what} takes at most {N} arguments, there are {}", self.positional.len());
        }
        let mut bound = [const { None }; N];
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            match names.iter().position(|parameter| *parameter == name && !name.is_empty()) {
                Some(i) if bound[i].is_some() => fault!("{what} got its argument '{name}' twice"),
                Some(i) => bound[i] = Some(value),
                None => fault!("{what} has no argument '{name}'"),
            }
        }
        match bound[..n_required].iter().position(Option::is_none) {
            Some(i) if names[i].is_empty() => fault!("{what} needs {n_required} arguments"),
            Some(i) => fault!("{what} needs its argument '{}'", names[i]),
            None => Ok(bound),
        }
    }
}

/// A text among the arguments.
pub fn text(what: &str, value: &Value) -> Result<Str> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Undefined => fault!("undefined value"),
        other => fault!("{what} takes a string, there is {}", other.kind()),
    }
}

/// A whole number among the arguments.
pub fn int(what: &str, value: &Value) -> Result<i64> {
    match value.as_index() {
        Some(n) => Ok(i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX })),
        None if matches!(value, Value::Undefined) => fault!("undefined value"),
        None => fault!("{what} takes an integer, there is {}", value.kind()),
    }
}
