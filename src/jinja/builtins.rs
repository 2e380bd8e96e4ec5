//! Functions that every template has.

use std::cell::Cell;
use std::rc::Rc;

use super::budget::OVERHEAD;
use super::call::{Args, Callable, int, text};
use super::eval::Interpreter;
use super::value::{Range, Value};
use super::{Fault, Result, dict, fault, ops};

const FUNCTIONS: [&str; 8] =
    ["range", "dict", "namespace", "cycler", "joiner", "lipsum", "raise_exception", "strftime_now"];

/// The longest range that the sandbox allows.
const MAX_RANGE: usize = 100_000;

/// A function by its name.
pub fn global(name: &str) -> Option<Value> {
    let name = FUNCTIONS.iter().find(|function| **function == name)?;
    Some(Value::Callable(Rc::new(Callable::Function(name))))
}

pub fn call(name: &str, mut args: Args, it: &Interpreter) -> Result<Value> {
    let budget = it.budget;
    match name {
        "range" => {
            if !args.named.is_empty() {
                fault!("range takes no arguments by name");
            }
            let [first, second, step] = args.bind("range", ["", "", ""], 1)?;
            let number = |value: Option<Value>, default| value.map_or(Ok(default), |value| int("range", &value));
            let first = number(first, 0)?;
            let (start, stop) = match second {
                Some(stop) => (first, int("range", &stop)?),
                None => (0, first),
            };
            let range = Range { start, stop, step: number(step, 1)? };
            if range.step == 0 {
                fault!("the step of a range is 0");
            }
            if range.len() > MAX_RANGE {
                fault!("a range of {} numbers; {MAX_RANGE} are allowed", range.len());
            }
            Ok(Value::Range(range))
        }
        "dict" | "namespace" => {
            let named = std::mem::take(&mut args.named);
            let [from] = args.bind(name, [""], 0)?;
            let mut entries = match from {
                None => Vec::new(),
                Some(Value::Dict(dict)) => dict.entries.clone(),
                Some(pairs) => {
                    let mut entries = Vec::new();
                    for pair in ops::items(&pairs, budget)? {
                        let [key, value] = ops::items(&pair, budget)?.try_into().map_err(|found: Vec<_>| {
                            Fault::new(format!("{name} takes pairs, there is one of {} values", found.len()))
                        })?;
                        dict::insert(&mut entries, key, value, budget)?;
                    }
                    entries
                }
            };
            for (key, value) in named {
                dict::insert(&mut entries, Value::text(&key), value, budget)?;
            }
            if name == "dict" {
                return Value::dict(entries, budget);
            }
            budget.bytes((2 + 3 * entries.len()) * OVERHEAD)?;
            let mut namespaces = it.namespaces.borrow_mut();
            namespaces.push(entries);
            Ok(Value::Namespace(namespaces.len() - 1))
        }
        "cycler" => {
            if args.positional.is_empty() || !args.named.is_empty() {
                fault!("cycler takes at least one item, and none by name");
            }
            budget.items(args.positional.len())?;
            Ok(Value::Callable(Rc::new(Callable::Cycler(args.positional, Cell::new(0)))))
        }
        "joiner" => {
            let [separator] = args.bind("joiner", ["sep"], 0)?;
            let separator = separator.map_or(Ok(", ".into()), |separator| text("joiner", &separator))?;
            Ok(Value::Callable(Rc::new(Callable::Joiner(separator, Cell::new(false)))))
        }
        "lipsum" => Ok(Value::text("Lorem ipsum dolor sit amet, consectetur adipiscing elit.")),
        "raise_exception" => {
            let [message] = args.bind("raise_exception", ["message"], 1)?;
            Err(Fault::new(super::strings::to_str(&message.unwrap_or_default(), budget)?.as_str()))
        }
        _ => {
            let [format] = args.bind("strftime_now", ["format"], 1)?;
            let format = text("strftime_now", &format.unwrap_or_default())?;
            if format.as_str().len() > 4096 {
                fault!("strftime_now takes a format of at most 4096 bytes, there are {}", format.as_str().len());
            }
            Ok(Value::text(&it.now.format(format.as_str())))
        }
    }
}

/// The item whose turn it is; the next one's comes.
pub fn next_of(items: &[Value], at: &Cell<usize>) -> Value {
    let i = at.get();
    at.set((i + 1) % items.len());
    items[i].clone()
}

/// An attribute of a function.
pub fn attribute(callable: &Rc<Callable>, name: &str, it: &Interpreter) -> Option<Value> {
    match (&**callable, name) {
        (Callable::Macro(node, _), "name") => Some(Value::text(&node.name)),
        (Callable::Macro(node, _), "caller") => Some(node.takes_caller.into()),
        (Callable::Macro(node, _), "catch_kwargs") => Some(node.takes_kwargs.into()),
        (Callable::Macro(node, _), "catch_varargs") => Some(node.takes_varargs.into()),
        (Callable::Macro(node, _), "arguments") => {
            let names = node.parameters.iter().map(|(name, _)| Value::text(name)).collect();
            Value::tuple(names, it.budget).ok()
        }
        (Callable::Cycler(items, at), "current") => Some(items[at.get()].clone()),
        (Callable::Cycler(..), "next") => Some(Value::Callable(callable.clone())),
        (Callable::Cycler(..), "reset") => Some(it.method(Value::Callable(callable.clone()), "reset")),
        _ => None,
    }
}
