//! White space, `str()` and `repr()` as Python has them.

use super::Result;
use super::budget::Budget;
use super::call::Callable;
use super::float::push_float;
use super::text::{Builder, Str};
use super::value::{Value, View};
use crate::tokenizer::unicode::{Categories, Category};

/// White space of `str.strip` and `str.split`: four separators more than Unicode's White_Space.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

pub fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

pub fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `str(value)`
pub fn to_str(value: &Value, budget: &Budget) -> Result<Str> {
    if let Value::Str(text) = value {
        return Ok(text.clone());
    }
    let mut out = Builder::new(budget);
    write(value, &mut out, budget)?;
    out.finish()
}

/// Appends `str(value)`.
pub fn write(value: &Value, out: &mut Builder, budget: &Budget) -> Result<()> {
    match value {
        Value::Str(text) => {
            budget.steps(text.as_str().len() / 64)?;
            out.push(text);
            Ok(())
        }
        Value::Undefined => Ok(()),
        other => repr(other, out, budget),
    }
}

/// Appends `repr(value)`.
pub fn repr(value: &Value, out: &mut Builder, budget: &Budget) -> Result<()> {
    budget.steps(1)?;
    match value {
        Value::Undefined => out.write("Undefined"),
        Value::None => out.write("None"),
        Value::Bool(true) => out.write("True"),
        Value::Bool(false) => out.write("False"),
        Value::Int(n) => out.write(&n.to_string()),
        Value::Float(x) => {
            let mut text = String::new();
            push_float(&mut text, *x, ["nan", "inf", "-inf"]);
            out.write(&text);
        }
        Value::Str(text) => {
            if text.is_safe() {
                out.write("Markup(");
            }
            repr_str(text, out);
            if text.is_safe() {
                out.write(")");
            }
        }
        Value::List(list) => sequence(list.items.iter().map(Item::One), ["[", "]"], out, budget)?,
        Value::Tuple(list) => {
            let close = if list.items.len() == 1 { ",)" } else { ")" };
            sequence(list.items.iter().map(Item::One), ["(", close], out, budget)?;
        }
        Value::Dict(dict) => sequence(dict.entries.iter().map(|(k, v)| Item::Entry(k, v)), ["{", "}"], out, budget)?,
        Value::View(View::Keys, dict) => {
            sequence(dict.entries.iter().map(|(k, _)| Item::One(k)), ["dict_keys([", "])"], out, budget)?;
        }
        Value::View(View::Values, dict) => {
            sequence(dict.entries.iter().map(|(_, v)| Item::One(v)), ["dict_values([", "])"], out, budget)?;
        }
        Value::View(View::Items, dict) => {
            sequence(dict.entries.iter().map(|(k, v)| Item::Pair(k, v)), ["dict_items([", "])"], out, budget)?;
        }
        Value::Range(range) if range.step == 1 => out.write(&format!("range({}, {})", range.start, range.stop)),
        Value::Range(range) => out.write(&format!("range({}, {}, {})", range.start, range.stop, range.step)),
        // Python writes addresses.
        Value::Iter(_) => out.write("<generator>"),
        Value::Namespace(_) => out.write("<Namespace>"),
        Value::Loop(_) => out.write("<LoopContext>"),
        Value::Callable(callable) => match &**callable {
            Callable::Function(name) => out.write(&format!("<function {name}>")),
            Callable::Method(object, name) => {
                out.write(&format!("<built-in method {name} of {} object>", object.kind()))
            }
            Callable::Macro(node, _) if node.name.is_empty() => out.write("<Macro anonymous>"),
            Callable::Macro(node, _) => out.write(&format!("<Macro '{}'>", node.name)),
            Callable::Cycler(..) => out.write("<Cycler>"),
            Callable::Joiner(..) => out.write("<Joiner>"),
        },
    }
    Ok(())
}

enum Item<'v> {
    One(&'v Value),
    Entry(&'v Value, &'v Value),
    Pair(&'v Value, &'v Value),
}

fn sequence<'v>(
    items: impl Iterator<Item = Item<'v>>,
    [open, close]: [&str; 2],
    out: &mut Builder,
    budget: &Budget,
) -> Result<()> {
    out.write(open);
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.write(", ");
        }
        match item {
            Item::One(value) => repr(value, out, budget)?,
            Item::Entry(key, value) => {
                repr(key, out, budget)?;
                out.write(": ");
                repr(value, out, budget)?;
            }
            Item::Pair(key, value) => {
                out.write("(");
                repr(key, out, budget)?;
                out.write(", ");
                repr(value, out, budget)?;
                out.write(")");
            }
        }
    }
    out.write(close);
    Ok(())
}

/// Whether `repr` shows a character as it is: neither controls, nor separators but the space, nor unassigned ones.
pub fn is_printable(c: char) -> bool {
    const HIDDEN: u32 = Category::mask("C") | Category::mask("Z");
    c == ' ' || if c.is_ascii() { !c.is_ascii_control() } else { !Categories::get().of(c).is_in(HIDDEN) }
}

fn repr_str(text: &Str, out: &mut Builder) {
    let s = text.as_str();
    let quote = if s.contains('\'') && !s.contains('"') { "\"" } else { "'" };
    out.write(quote);
    for (at, c) in s.char_indices() {
        let escaped = match c {
            '\\' => "\\\\".into(),
            '\n' => "\\n".into(),
            '\r' => "\\r".into(),
            '\t' => "\\t".into(),
            '\'' if quote == "'" => "\\'".into(),
            c if is_printable(c) => {
                out.push_slice(text, at..at + c.len_utf8());
                continue;
            }
            c => match u32::from(c) {
                n @ ..0x100 => format!("\\x{n:02x}"),
                n @ ..0x10000 => format!("\\u{n:04x}"),
                n => format!("\\U{n:08x}"),
            },
        };
        out.push_str(&escaped, text.is_data(at));
    }
    out.write(quote);
}

/// `markupsafe.escape`
pub fn escape(value: &Value, budget: &Budget) -> Result<Str> {
    let text = to_str(value, budget)?;
    if text.is_safe() {
        return Ok(text);
    }
    let escaped = text.map(budget, |c, out| match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\'' => out.push_str("&#39;"),
        '"' => out.push_str("&#34;"),
        c => out.push(c),
    })?;
    Ok(escaped.with_safe(true))
}
