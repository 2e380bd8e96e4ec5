//! Tests: `x is …`.

use std::rc::Rc;

use super::ast::{Binary, Compare};
use super::call::Args;
use super::dict::check_hashable;
use super::eval::Interpreter;
use super::value::Value;
use super::{Result, fault, filters, methods, ops, strings};

const NAMES: [&str; 39] = [
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "==",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "gt",
    "greaterthan",
    ">",
    ">=",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "lessthan",
    "<",
    "<=",
    "mapping",
    "ne",
    "!=",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

pub fn apply(name: &str, value: &Value, args: Args, it: &Interpreter) -> Result<bool> {
    // A test that the list lacks is none, so that `is test` and this agree.
    if !exists(name) {
        fault!("there is no test '{name}'");
    }
    let operator = match name {
        "eq" | "equalto" | "==" => Some(Compare::Equal),
        "ne" | "!=" => Some(Compare::NotEqual),
        "lt" | "lessthan" | "<" => Some(Compare::Less),
        "le" | "<=" => Some(Compare::LessOrEqual),
        "gt" | "greaterthan" | ">" => Some(Compare::Greater),
        "ge" | ">=" => Some(Compare::GreaterOrEqual),
        "in" => Some(Compare::In),
        _ => None,
    };
    if let Some(operator) = operator {
        let [other] = args.bind(name, [""], 1)?;
        return ops::compare(operator, value, &other.unwrap_or_default(), it.budget);
    }
    match name {
        "divisibleby" => {
            let [by] = args.bind(name, ["num"], 1)?;
            let rest = ops::binary(Binary::Modulo, value, &by.unwrap_or_default(), it.budget)?;
            return ops::equal(&rest, &Value::Int(0), it.budget);
        }
        "sameas" => {
            let [other] = args.bind(name, ["other"], 1)?;
            return is_same(value, &other.unwrap_or_default(), it);
        }
        _ => {}
    }
    let []: [_; 0] = args.bind(name, [], 0)?;
    Ok(match name {
        "boolean" => matches!(value, Value::Bool(_)),
        // An undefined value is: it says so when it is called.
        "callable" => matches!(value, Value::Callable(_) | Value::Loop(_) | Value::Undefined),
        "defined" => !matches!(value, Value::Undefined),
        "undefined" => matches!(value, Value::Undefined),
        "escaped" => matches!(value, Value::Str(text) if text.is_safe()),
        "even" | "odd" => {
            let rest = ops::binary(Binary::Modulo, value, &Value::Int(2), it.budget)?;
            ops::equal(&rest, &Value::Int(i128::from(name == "odd")), it.budget)?
        }
        "true" => matches!(value, Value::Bool(true)),
        "false" => matches!(value, Value::Bool(false)),
        "filter" | "test" if check_hashable(value, it.budget).is_err() => fault!("{} is no name", value.kind()),
        "filter" => value.as_str().is_some_and(filters::exists),
        "test" => value.as_str().is_some_and(exists),
        "integer" => matches!(value, Value::Int(_)),
        "float" => matches!(value, Value::Float(_)),
        "number" => value.as_float().is_some(),
        "none" => matches!(value, Value::None),
        "mapping" => matches!(value, Value::Dict(_)),
        "string" => matches!(value, Value::Str(_)),
        "sequence" => matches!(
            value,
            Value::Undefined | Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Range(_)
        ),
        "iterable" => !matches!(
            value,
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Namespace(_) | Value::Callable(_)
        ),
        "lower" | "upper" => {
            let text = strings::to_str(value, it.budget)?;
            methods::has_case(text.as_str(), name == "upper")
        }
        _ => fault!("the test '{name}' is not supported"),
    })
}

/// `a is b`
fn is_same(a: &Value, b: &Value, it: &Interpreter) -> Result<bool> {
    Ok(match (a, b) {
        (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b),
        // There is one empty tuple.
        (Value::Tuple(a), Value::Tuple(b)) => Rc::ptr_eq(a, b) || a.items.is_empty() && b.items.is_empty(),
        (Value::Dict(a), Value::Dict(b)) => Rc::ptr_eq(a, b),
        (a, b) => a.kind() == b.kind() && ops::equal(a, b, it.budget)?,
    })
}
