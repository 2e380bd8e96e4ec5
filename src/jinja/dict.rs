//! Dicts: pairs in the order in which they came, as in Python. Those of messages and tools are small, so a search goes
//! from pair to pair, on the budget.

use super::budget::Budget;
use super::ops::equal;
use super::value::{Value, View};
use super::{Result, fault};

#[derive(Debug)]
pub struct Dict {
    pub(super) entries: Vec<(Value, Value)>,
    pub(super) depth: u32,
}

/// Fails where a value can be no key.
pub(super) fn check_hashable(key: &Value, budget: &Budget) -> Result<()> {
    match key {
        Value::List(_) | Value::Dict(_) | Value::View(View::Keys | View::Items, _) => {
            fault!("unhashable type: '{}'", key.kind())
        }
        Value::Tuple(list) => {
            budget.steps(list.items.len())?;
            list.items.iter().try_for_each(|item| check_hashable(item, budget))
        }
        _ => Ok(()),
    }
}

fn position(entries: &[(Value, Value)], key: &Value, budget: &Budget) -> Result<Option<usize>> {
    check_hashable(key, budget)?;
    budget.steps(entries.len() / 8)?;
    for (i, (other, _)) in entries.iter().enumerate() {
        // Most keys are strings, and need no step each.
        let same = match (key, other) {
            (Value::Str(a), Value::Str(b)) => a.as_str() == b.as_str(),
            (Value::Str(_), _) | (_, Value::Str(_)) => false,
            (a, b) => equal(a, b, budget)?,
        };
        if same {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

impl Dict {
    pub fn find(&self, key: &Value, budget: &Budget) -> Result<Option<&Value>> {
        Ok(position(&self.entries, key, budget)?.map(|i| &self.entries[i].1))
    }
}

/// `entries[key] = value`
pub(super) fn insert(entries: &mut Vec<(Value, Value)>, key: Value, value: Value, budget: &Budget) -> Result<()> {
    match position(entries, &key, budget)? {
        Some(i) => entries[i].1 = value,
        None => entries.push((key, value)),
    }
    Ok(())
}
