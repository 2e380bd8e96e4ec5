//! The values of a template: Python's, as far as a template can reach them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::budget::{Budget, MAX_DEPTH};
use super::call::Callable;
use super::dict::Dict;
use super::loops::Loop;
use super::text::Str;
use super::{Fault, Result, fault};

/// A value. Lists and dicts do not change: the sandbox forbids their methods that would.
#[derive(Debug, Clone, Default)]
pub enum Value {
    #[default]
    Undefined,
    None,
    Bool(bool),
    /// Python's have no limit; beyond 128 bits there is an error.
    Int(i128),
    Float(f64),
    Str(Str),
    List(Rc<List>),
    Tuple(Rc<List>),
    Dict(Rc<Dict>),
    /// `dict.keys()`, `.values()`, `.items()`
    View(View, Rc<Dict>),
    Range(Range),
    /// What is read once: the results of `map`, `select` and the like.
    Iter(Rc<Iter>),
    /// `namespace()`, by its number in the interpreter: namespaces may hold each other.
    Namespace(usize),
    Loop(Rc<Loop>),
    Callable(Rc<Callable>),
}

#[derive(Debug)]
pub struct List {
    pub(super) items: Vec<Value>,
    depth: u32,
    /// A pair that `groupby` made, whose items have the names `grouper` and `list`.
    pub(super) is_group: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Keys,
    Values,
    Items,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub(super) start: i64,
    pub(super) stop: i64,
    pub(super) step: i64,
}

impl Range {
    pub(super) fn len(self) -> usize {
        let (span, step) = match self.step > 0 {
            true => (self.stop.saturating_sub(self.start), self.step),
            false => (self.start.saturating_sub(self.stop), self.step.saturating_neg()),
        };
        if span <= 0 { 0 } else { ((span - 1) / step + 1) as usize }
    }

    pub(super) fn get(self, i: usize) -> Value {
        Value::Int(i128::from(self.start) + i as i128 * i128::from(self.step))
    }
}

/// Values that are still to come; then the error that ended them.
#[derive(Debug, Default)]
pub struct Iter(RefCell<(VecDeque<Value>, Option<Fault>)>);

impl Iter {
    pub(super) fn next(&self) -> Result<Option<Value>> {
        let (items, fault) = &mut *self.0.borrow_mut();
        match (items.pop_front(), fault.take()) {
            (None, Some(fault)) => Err(fault),
            (item, later) => {
                *fault = later;
                Ok(item)
            }
        }
    }
}

fn checked_depth<'v>(values: impl Iterator<Item = &'v Value>) -> Result<u32> {
    let depth = 1 + values.map(Value::depth).max().unwrap_or(0);
    if depth > MAX_DEPTH {
        fault!("the template nests values deeper than {MAX_DEPTH} levels");
    }
    Ok(depth)
}

impl Value {
    fn depth(&self) -> u32 {
        match self {
            Value::List(list) | Value::Tuple(list) => list.depth,
            Value::Dict(dict) | Value::View(_, dict) => dict.depth,
            Value::Iter(_) | Value::Callable(_) | Value::Loop(_) => 1,
            _ => 0,
        }
    }

    fn new_list(items: Vec<Value>, budget: &Budget) -> Result<Rc<List>> {
        budget.items(items.len())?;
        let depth = checked_depth(items.iter())?;
        Ok(Rc::new(List { items, depth, is_group: false }))
    }

    pub(super) fn list(items: Vec<Value>, budget: &Budget) -> Result<Value> {
        Self::new_list(items, budget).map(Value::List)
    }

    pub(super) fn tuple(items: Vec<Value>, budget: &Budget) -> Result<Value> {
        Self::new_list(items, budget).map(Value::Tuple)
    }

    /// A pair of `groupby`.
    pub(super) fn group(key: Value, items: Value, budget: &Budget) -> Result<Value> {
        let items = vec![key, items];
        budget.items(items.len())?;
        let depth = checked_depth(items.iter())?;
        Ok(Value::Tuple(Rc::new(List { items, depth, is_group: true })))
    }

    pub(super) fn dict(entries: Vec<(Value, Value)>, budget: &Budget) -> Result<Value> {
        budget.items(2 * entries.len())?;
        let depth = checked_depth(entries.iter().flat_map(|(key, value)| [key, value]))?;
        Ok(Value::Dict(Rc::new(Dict { entries, depth })))
    }

    /// Values that are read once. An error among them comes where it is reached.
    pub(super) fn iter(items: impl Iterator<Item = Result<Value>>, budget: &Budget) -> Result<Value> {
        let mut queue = VecDeque::new();
        let mut fault = None;
        for item in items {
            match item {
                Ok(item) => queue.push_back(item),
                Err(e) => {
                    fault = Some(e);
                    break;
                }
            }
        }
        budget.items(queue.len())?;
        // Read by the interpreter only: what holds it knows its depth no better.
        checked_depth(queue.iter())?;
        Ok(Value::Iter(Rc::new(Iter(RefCell::new((queue, fault))))))
    }

    pub(super) fn text(text: &str) -> Value {
        Value::Str(text.into())
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(&list.items),
            _ => None,
        }
    }

    /// The value of a key of a dict.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Dict(dict) => dict.entries.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A list of values that came from outside.
    #[must_use]
    pub fn list_of(items: Vec<Value>) -> Value {
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        Value::List(Rc::new(List { items, depth, is_group: false }))
    }

    /// This dict with another value of a key; what is no dict, as it is.
    #[must_use]
    pub fn with(&self, key: &str, value: Value) -> Value {
        let Value::Dict(dict) = self else { return self.clone() };
        let depth = dict.depth.max(1 + value.depth());
        let mut entries = dict.entries.clone();
        match entries.iter_mut().find(|(k, _)| k.as_str() == Some(key)) {
            Some((_, slot)) => *slot = value,
            None => entries.push((key.into(), value)),
        }
        Value::Dict(Rc::new(Dict { entries, depth }))
    }

    /// The pairs of a dict.
    #[must_use]
    pub fn pairs(&self) -> Option<&[(Value, Value)]> {
        match self {
            Value::Dict(dict) => Some(&dict.entries),
            _ => None,
        }
    }

    /// Python's `bool()`, of a value without length that is true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Value::Undefined | Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            Value::Float(x) => *x != 0.0,
            Value::Str(text) => !text.as_str().is_empty(),
            Value::List(list) | Value::Tuple(list) => !list.items.is_empty(),
            Value::Dict(dict) | Value::View(_, dict) => !dict.entries.is_empty(),
            Value::Range(range) => range.len() > 0,
            Value::Iter(_) | Value::Namespace(_) | Value::Loop(_) | Value::Callable(_) => true,
        }
    }

    /// What kind of value it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Undefined => "undefined",
            Value::None => "none",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "string",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::View(View::Keys, _) => "dict_keys",
            Value::View(View::Values, _) => "dict_values",
            Value::View(View::Items, _) => "dict_items",
            Value::Range(_) => "range",
            Value::Iter(_) => "generator",
            Value::Namespace(_) => "namespace",
            Value::Loop(_) => "loop",
            Value::Callable(_) => "function",
        }
    }

    /// An integer, as `operator.index` takes it: booleans are 0 and 1.
    pub(super) fn as_index(&self) -> Option<i128> {
        match self {
            Value::Bool(b) => Some(i128::from(*b)),
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float(x) => Some(*x),
            other => other.as_index().map(|n| n as f64),
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl From<&str> for Value {
    /// Text of a variable, not of the template.
    fn from(text: &str) -> Value {
        Value::Str(Str::data(text))
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Value {
        Value::Str(text)
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Value {
        Value::Int(n as i128)
    }
}

impl PartialEq for Value {
    /// Python's `==`.
    fn eq(&self, other: &Value) -> bool {
        super::ops::equal(self, other, &Budget::default()).unwrap_or(false)
    }
}
