//! Operators, as Python's types have them.

use std::cmp::Ordering;
use std::rc::Rc;

use super::ast::{Binary, Compare};
use super::budget::Budget;
use super::dict::check_hashable;
use super::text::{Builder, Str};
use super::value::{Range, Value, View};
use super::{Result, fault, format, strings};

/// `a == b`
pub fn equal(a: &Value, b: &Value, budget: &Budget) -> Result<bool> {
    budget.steps(1)?;
    Ok(match (a, b) {
        (Value::Undefined, Value::Undefined) | (Value::None, Value::None) => true,
        (Value::Str(a), Value::Str(b)) => a.as_str() == b.as_str(),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            equal_items(&a.items, &b.items, budget)?
        }
        (Value::Dict(a), Value::Dict(b)) => {
            if a.entries.len() != b.entries.len() {
                return Ok(false);
            }
            for (key, value) in &a.entries {
                match b.find(key, budget)? {
                    Some(other) if equal(value, other, budget)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::View(kind, a), Value::View(other, b)) => kind == other && Rc::ptr_eq(a, b),
        (Value::Range(a), Value::Range(b)) => {
            let n = a.len();
            n == b.len() && (n == 0 || a.start == b.start && (n == 1 || a.step == b.step))
        }
        (Value::Iter(a), Value::Iter(b)) => Rc::ptr_eq(a, b),
        (Value::Namespace(a), Value::Namespace(b)) => a == b,
        (Value::Loop(a), Value::Loop(b)) => Rc::ptr_eq(a, b),
        (Value::Callable(a), Value::Callable(b)) => Rc::ptr_eq(a, b),
        (a, b) => matches!(compare_numbers(a, b), Some(Some(Ordering::Equal))),
    })
}

fn equal_items(a: &[Value], b: &[Value], budget: &Budget) -> Result<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b) {
        if !equal(a, b, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two numbers, of which NaN has none; nothing where one is no number.
fn compare_numbers(a: &Value, b: &Value) -> Option<Option<Ordering>> {
    match (a.as_index(), b.as_index()) {
        (Some(a), Some(b)) => Some(Some(a.cmp(&b))),
        _ => Some(a.as_float()?.partial_cmp(&b.as_float()?)),
    }
}

/// The order of two values; nothing where they have none.
///
/// # Errors
/// Where Python does not order values of these types.
fn order(a: &Value, b: &Value, budget: &Budget) -> Result<Option<Ordering>> {
    budget.steps(1)?;
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.items.iter().zip(&b.items) {
                if !equal(a, b, budget)? {
                    return order(a, b, budget);
                }
            }
            Ok(Some(a.items.len().cmp(&b.items.len())))
        }
        (Value::Undefined, _) | (_, Value::Undefined) => fault!("undefined value"),
        (a, b) => match compare_numbers(a, b) {
            Some(order) => Ok(order),
            None => fault!("{} and {} have no order", a.kind(), b.kind()),
        },
    }
}

/// `a < b`
pub fn less(a: &Value, b: &Value, budget: &Budget) -> Result<bool> {
    Ok(order(a, b, budget)? == Some(Ordering::Less))
}

pub fn compare(operator: Compare, a: &Value, b: &Value, budget: &Budget) -> Result<bool> {
    Ok(match operator {
        Compare::Equal => equal(a, b, budget)?,
        Compare::NotEqual => !equal(a, b, budget)?,
        Compare::Less => less(a, b, budget)?,
        Compare::Greater => less(b, a, budget)?,
        Compare::LessOrEqual => matches!(order(a, b, budget)?, Some(Ordering::Less | Ordering::Equal)),
        Compare::GreaterOrEqual => matches!(order(a, b, budget)?, Some(Ordering::Greater | Ordering::Equal)),
        Compare::In => contains(b, a, budget)?,
        Compare::NotIn => !contains(b, a, budget)?,
    })
}

/// `item in container`
pub fn contains(container: &Value, item: &Value, budget: &Budget) -> Result<bool> {
    match (container, item) {
        (Value::Str(text), Value::Str(part)) => {
            budget.steps(text.as_str().len() / 64)?;
            Ok(text.as_str().contains(part.as_str()))
        }
        (Value::Str(_), other) => fault!("'in <string>' takes a string, there is {}", other.kind()),
        (Value::Dict(dict) | Value::View(View::Keys, dict), key) => Ok(dict.find(key, budget)?.is_some()),
        (Value::View(View::Items, dict), Value::Tuple(pair)) if pair.items.len() == 2 => {
            match dict.find(&pair.items[0], budget)? {
                Some(value) => equal(value, &pair.items[1], budget),
                None => Ok(false),
            }
        }
        (Value::Iter(iter), item) => {
            while let Some(next) = iter.next()? {
                if equal(&next, item, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Value::List(list) | Value::Tuple(list), item) => has_equal(&list.items, item, budget),
        (container, item) => has_equal(&items(container, budget)?, item, budget),
    }
}

fn has_equal(items: &[Value], item: &Value, budget: &Budget) -> Result<bool> {
    for other in items {
        if equal(other, item, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a loop over the value gives.
///
/// # Errors
/// Where the value is nothing to loop over.
pub fn items(value: &Value, budget: &Budget) -> Result<Vec<Value>> {
    let n = match value {
        Value::Str(text) => text.as_str().len(),
        Value::List(list) | Value::Tuple(list) => list.items.len(),
        Value::Dict(dict) | Value::View(_, dict) => dict.entries.len(),
        Value::Range(range) => range.len(),
        _ => 0,
    };
    budget.items(n)?;
    Ok(match value {
        Value::Undefined => Vec::new(),
        Value::Str(text) => characters(text, budget)?,
        Value::List(list) | Value::Tuple(list) => list.items.clone(),
        Value::Dict(dict) | Value::View(View::Keys, dict) => dict.entries.iter().map(|(key, _)| key.clone()).collect(),
        Value::View(View::Values, dict) => dict.entries.iter().map(|(_, value)| value.clone()).collect(),
        Value::View(View::Items, dict) => {
            let pair = |(key, value): &(Value, Value)| Value::tuple(vec![key.clone(), value.clone()], budget);
            dict.entries.iter().map(pair).collect::<Result<_>>()?
        }
        Value::Range(range) => (0..range.len()).map(|i| range.get(i)).collect(),
        Value::Iter(iter) => {
            let mut items = Vec::new();
            while let Some(item) = iter.next()? {
                items.push(item);
            }
            items
        }
        other => fault!("{} is nothing to loop over", other.kind()),
    })
}

/// Each character as a string.
fn characters(text: &Str, budget: &Budget) -> Result<Vec<Value>> {
    let s = text.as_str();
    s.char_indices().map(|(at, c)| Ok(text.slice(at..at + c.len_utf8(), budget)?.with_safe(false).into())).collect()
}

/// `len(value)`
pub fn len(value: &Value) -> Result<usize> {
    Ok(match value {
        Value::Undefined => 0,
        Value::Str(text) => text.as_str().chars().count(),
        Value::List(list) | Value::Tuple(list) => list.items.len(),
        Value::Dict(dict) | Value::View(_, dict) => dict.entries.len(),
        Value::Range(range) => range.len(),
        other => fault!("{} has no length", other.kind()),
    })
}

fn unsupported(operator: &str, a: &Value, b: &Value) -> Result<Value> {
    if matches!((a, b), (Value::Undefined, _) | (_, Value::Undefined)) {
        fault!("undefined value");
    }
    fault!("{} {operator} {} is not possible", a.kind(), b.kind())
}

fn whole(n: Option<i128>) -> Result<Value> {
    match n {
        Some(n) => Ok(Value::Int(n)),
        None => fault!("a number of more than 128 bits"),
    }
}

pub fn binary(operator: Binary, a: &Value, b: &Value, budget: &Budget) -> Result<Value> {
    let numbers = a.as_float().zip(b.as_float());
    let integers = a.as_index().zip(b.as_index());
    if let Value::Str(text) = a
        && operator == Binary::Modulo
        && !matches!(b, Value::Undefined)
    {
        return format::percent(text, b, budget).map(Value::Str);
    }
    match (operator, integers, numbers) {
        (Binary::Add, Some((a, b)), _) => whole(a.checked_add(b)),
        (Binary::Add, _, Some((a, b))) => Ok(Value::Float(a + b)),
        (Binary::Add, ..) => match (a, b) {
            (Value::Str(a), Value::Str(b)) => add_text(a, b, budget).map(Value::Str),
            (Value::List(a), Value::List(b)) => Value::list([a.items.as_slice(), &b.items].concat(), budget),
            (Value::Tuple(a), Value::Tuple(b)) => Value::tuple([a.items.as_slice(), &b.items].concat(), budget),
            _ => unsupported("+", a, b),
        },
        (Binary::Subtract, Some((a, b)), _) => whole(a.checked_sub(b)),
        (Binary::Subtract, _, Some((a, b))) => Ok(Value::Float(a - b)),
        (Binary::Subtract, ..) => unsupported("-", a, b),
        (Binary::Multiply, Some((a, b)), _) => whole(a.checked_mul(b)),
        (Binary::Multiply, _, Some((a, b))) => Ok(Value::Float(a * b)),
        (Binary::Multiply, ..) => match (a, b) {
            (Value::Undefined, _) | (_, Value::Undefined) => unsupported("*", a, b),
            (repeated, n) | (n, repeated) if n.as_index().is_some() && repeated.as_index().is_none() => {
                repeat(repeated, n.as_index().unwrap_or(0), budget)
            }
            _ => unsupported("*", a, b),
        },
        (Binary::Power, Some((a, b)), _) if b >= 0 => whole(u32::try_from(b).ok().and_then(|b| a.checked_pow(b))),
        (Binary::Power, _, Some((a, b))) => power(a, b),
        (Binary::Power, ..) => unsupported("**", a, b),
        (_, _, Some((_, 0.0))) => fault!("division by zero"),
        // Of large integers the rest counts as well.
        (Binary::Divide, Some((a, b)), _) if a / b != 0 => Ok(Value::Float((a / b) as f64 + (a % b) as f64 / b as f64)),
        (Binary::Divide, _, Some((a, b))) => Ok(Value::Float(a / b)),
        (Binary::Divide, ..) => unsupported("/", a, b),
        (Binary::FloorDivide, Some((a, b)), _) => {
            let rest = a.checked_rem(b).unwrap_or(0);
            whole(a.checked_div(b).map(|q| q - i128::from(rest != 0 && (rest < 0) != (b < 0))))
        }
        (Binary::FloorDivide, _, Some((a, b))) => Ok(Value::Float(divide(a, b).0)),
        (Binary::FloorDivide, ..) => unsupported("//", a, b),
        (Binary::Modulo, Some((a, b)), _) => {
            let rest = a.checked_rem(b).unwrap_or(0);
            Ok(Value::Int(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }))
        }
        (Binary::Modulo, _, Some((a, b))) => Ok(Value::Float(divide(a, b).1)),
        (Binary::Modulo, ..) => unsupported("%", a, b),
    }
}

/// The whole part and the rest of a division, the rest with the sign of the divisor.
fn divide(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest != 0.0 {
        if (b < 0.0) != (rest < 0.0) {
            rest += b;
            quotient -= 1.0;
        }
    } else {
        rest = 0f64.copysign(b);
    }
    let whole = if quotient == 0.0 {
        0f64.copysign(a / b)
    } else {
        quotient.floor() + f64::from(quotient - quotient.floor() > 0.5)
    };
    (whole, rest)
}

fn power(a: f64, b: f64) -> Result<Value> {
    if a == 0.0 && b < 0.0 {
        fault!("0 cannot be raised to a negative power");
    }
    let result = a.powf(b);
    if a.is_finite() && b.is_finite() && !result.is_finite() {
        fault!("the result of ** is no number");
    }
    Ok(Value::Float(result))
}

/// `a + b`; a text that is safe escapes the other.
fn add_text(a: &Str, b: &Str, budget: &Budget) -> Result<Str> {
    let safe = a.is_safe() || b.is_safe();
    let mut out = Builder::new(budget);
    for part in [a, b] {
        match safe {
            true => out.push(&strings::escape(&Value::Str(part.clone()), budget)?),
            false => out.push(part),
        }
    }
    Ok(out.finish()?.with_safe(safe))
}

fn repeat(value: &Value, n: i128, budget: &Budget) -> Result<Value> {
    let n = usize::try_from(n.max(0)).unwrap_or(usize::MAX);
    match value {
        Value::Str(text) => {
            let mut out = Builder::new(budget);
            out.push_times(text, n);
            Ok(out.finish()?.with_safe(text.is_safe()).into())
        }
        Value::List(list) | Value::Tuple(list) => {
            let items = &list.items;
            budget.items(items.len().saturating_mul(n))?;
            let all = if items.is_empty() { Vec::new() } else { (0..n).flat_map(|_| items.iter().cloned()).collect() };
            if matches!(value, Value::List(_)) { Value::list(all, budget) } else { Value::tuple(all, budget) }
        }
        other => unsupported("*", other, &Value::Int(1)),
    }
}

/// `value[start:stop:step]`
pub fn slice(value: &Value, bounds: [Option<i128>; 3], budget: &Budget) -> Result<Value> {
    let n = match value {
        Value::Str(text) => text.as_str().chars().count(),
        Value::List(_) | Value::Tuple(_) | Value::Range(_) => len(value)?,
        Value::Undefined => fault!("undefined value"),
        other => fault!("{} has no slices", other.kind()),
    };
    let [start, stop, step] = bounds;
    let step = step.unwrap_or(1);
    if step == 0 {
        fault!("the step of a slice is 0");
    }
    let n = n as i128;
    // Bounds as `slice.indices` gives them.
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let bound = |value: Option<i128>, default: i128| match value {
        None => default,
        Some(at) => (if at < 0 { at.saturating_add(n) } else { at }).clamp(low, high),
    };
    let (mut at, end) = match step > 0 {
        true => (bound(start, low), bound(stop, high)),
        false => (bound(start, high), bound(stop, low)),
    };
    if let Value::Range(range) = value {
        let number =
            |at: i128| i64::try_from(i128::from(range.start) + at * i128::from(range.step)).unwrap_or(i64::MAX);
        let step = i64::try_from(step * i128::from(range.step)).unwrap_or(i64::MAX);
        return Ok(Value::Range(Range { start: number(at), stop: number(end), step }));
    }
    let mut picked = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        picked.push(at as usize);
        at = at.saturating_add(step);
    }
    budget.items(picked.len())?;
    match value {
        Value::Str(text) => {
            let s = text.as_str();
            let starts: Vec<usize> = s.char_indices().map(|(at, _)| at).chain([s.len()]).collect();
            if let (1, Some(&first), Some(&last)) = (step, picked.first(), picked.last()) {
                return text.slice(starts[first]..starts[last + 1], budget).map(Value::Str);
            }
            let mut out = Builder::new(budget);
            picked.iter().for_each(|&i| out.push_slice(text, starts[i]..starts[i + 1]));
            Ok(out.finish()?.with_safe(text.is_safe()).into())
        }
        Value::List(list) => Value::list(picked.iter().map(|&i| list.items[i].clone()).collect(), budget),
        Value::Tuple(list) => Value::tuple(picked.iter().map(|&i| list.items[i].clone()).collect(), budget),
        _ => Ok(Value::Undefined),
    }
}

/// `value[key]` where there is such an item.
pub fn item(value: &Value, key: &Value, budget: &Budget) -> Result<Option<Value>> {
    let at = |n: usize| {
        let i = key.as_index()?;
        let i = if i < 0 { i + n as i128 } else { i };
        usize::try_from(i).ok().filter(|&i| i < n)
    };
    Ok(match value {
        Value::Undefined => fault!("undefined value"),
        Value::Dict(dict) if check_hashable(key, budget).is_ok() => dict.find(key, budget)?.cloned(),
        Value::List(list) | Value::Tuple(list) => at(list.items.len()).map(|i| list.items[i].clone()),
        Value::Range(range) => at(range.len()).map(|i| range.get(i)),
        Value::Str(text) => {
            let s = text.as_str();
            let Some(i) = at(s.chars().count()) else { return Ok(None) };
            match s.char_indices().nth(i) {
                Some((at, c)) => Some(text.slice(at..at + c.len_utf8(), budget)?.into()),
                None => None,
            }
        }
        _ => None,
    })
}
