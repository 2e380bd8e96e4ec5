//! Filters, tests and functions that transformers or Jinja2 have and the engine has not, or not so.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::json::{self, Style};
use super::python;
use super::rewrite::ESCAPE;

pub(super) fn add(env: &mut Environment) {
    env.add_filter("tojson", to_json);
    env.add_filter("from_json", from_json);
    env.add_filter("trim", trim);
    for name in ["e", "escape", ESCAPE] {
        env.add_filter(name, escape);
    }
    env.add_filter("int", int);
    env.add_filter("float", to_float);
    env.add_test("sequence", is_sequence);
    env.add_test("iterable", is_iterable);
    env.add_function("raise_exception", raise_exception);
}

/// `json.dumps(x, ensure_ascii, indent, separators, sort_keys)`, not ensuring ASCII unless asked.
fn to_json(value: &Value, ensure_ascii: Option<bool>, indent: Option<Value>, args: Kwargs) -> Result<Value, Error> {
    let indent = match indent {
        Some(indent) => Some(indent),
        None => args.get::<Option<Value>>("indent")?,
    };
    let indent = indent.filter(|indent| !indent.is_none()).map(|indent| match indent.as_str() {
        Some(text) => text.to_owned(),
        None => " ".repeat(usize::try_from(indent.clone()).unwrap_or(0).min(MAX_INDENT)),
    });
    let separators: Option<Vec<String>> = args.get("separators")?;
    let mut separators = separators.unwrap_or_default().into_iter();
    let style = Style {
        indent,
        item_separator: separators.next(),
        key_separator: separators.next(),
        ensure_ascii: ensure_ascii.or(args.get("ensure_ascii")?).unwrap_or(false),
        sort_keys: args.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
    };
    args.assert_all_used()?;
    json::dumps(value, &style).map(Value::from)
}

/// A hostile template indents no deeper.
const MAX_INDENT: usize = 64;

/// `json.loads`: not in transformers, but in llama.cpp, for which some templates are written.
fn from_json(text: &str) -> Result<Value, Error> {
    json::parse(text).map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
}

/// `str(value).strip(chars)`
fn trim(value: &Value, chars: Option<Value>) -> Result<Value, Error> {
    let args: Vec<Value> = chars.into_iter().collect();
    match value.as_str() {
        Some(text) => python::strip(text, &args, true, true).map(Value::from),
        None => python::strip(&value.to_string(), &args, true, true).map(Value::from),
    }
}

/// `markupsafe.escape`
fn escape(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

/// The whole part of a number or of the number a text spells; the default, 0, for anything else.
fn int(value: &Value, default: Option<Value>) -> Value {
    let whole = |x: f64| x.is_finite().then(|| Value::from(x.trunc() as i128));
    let found = match value.as_str().map(str::trim) {
        Some(text) => text.parse::<i64>().ok().map(Value::from).or_else(|| text.parse().ok().and_then(whole)),
        None if value.is_integer() => Some(value.clone()),
        None => f64::try_from(value.clone()).ok().and_then(whole),
    };
    found.unwrap_or_else(|| default.unwrap_or(Value::from(0)))
}

fn to_float(value: &Value, default: Option<Value>) -> Value {
    let found = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => f64::try_from(value.clone()).ok(),
    };
    found.map_or_else(|| default.unwrap_or(Value::from(0.0)), Value::from)
}

/// What has a length and takes an index: strings and dicts, too.
fn is_sequence(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Undefined)
}

/// To the engine `none` is, too.
fn is_iterable(value: &Value) -> bool {
    is_sequence(value) || value.kind() == ValueKind::Iterable
}

fn raise_exception(message: &str) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message.to_owned()))
}
