//! JSON to values and back as Python writes it (RFC 8259; CPython, `Lib/json`).
//!
//! A reader and a writer of our own: what comes in goes straight into a template's values, in order, its text known as data,
//! and what goes out has to be what `json.dumps` gives, down to the spaces.

use super::budget::Budget;
use super::float::push_float;
use super::sort::sort;
use super::text::{Builder, Str};
use super::value::Value;
use super::{Fault, fault, ops};
use crate::error::{Error, Result, bail};

/// Deeper nesting is refused, as it is read and written by recursion.
const MAX_DEPTH: u32 = 128;

/// Reads one JSON value.
///
/// # Errors
/// `InvalidArgument` naming the byte where the text is not JSON.
pub fn parse(text: &str) -> Result<Value> {
    let mut parser = Parser { text, at: 0, budget: Budget::default() };
    let value = parser.value(0)?;
    parser.space();
    if parser.at < text.len() {
        return parser.expected("the end");
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    budget: Budget,
}

/// A JSON text so large that a template could not take it.
fn too_large(fault: Fault) -> Error {
    Error::InvalidArgument(format!("JSON: {}", fault.message))
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        let found: String = self.rest().chars().take(12).collect();
        bail!(InvalidArgument, "JSON, byte {}: {what} is expected, there is '{found}'", self.at)
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\n', '\r', '\t']).len();
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn value(&mut self, depth: u32) -> Result<Value> {
        if depth > MAX_DEPTH {
            bail!(InvalidArgument, "JSON, byte {}: nested deeper than {MAX_DEPTH}", self.at);
        }
        self.space();
        match self.rest().bytes().next() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::Str(Str::data(&self.string()?))),
            _ if self.eat("-Infinity") => Ok(Value::Float(f64::NEG_INFINITY)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.eat("true") => Ok(Value::Bool(true)),
            _ if self.eat("false") => Ok(Value::Bool(false)),
            _ if self.eat("null") => Ok(Value::None),
            // Python reads and writes these.
            _ if self.eat("NaN") => Ok(Value::Float(f64::NAN)),
            _ if self.eat("Infinity") => Ok(Value::Float(f64::INFINITY)),
            _ => self.expected("a value"),
        }
    }

    /// Whether another element follows; eats the comma or the closing bracket.
    fn more(&mut self, first: bool, close: &str) -> Result<bool> {
        self.space();
        if self.eat(close) {
            return Ok(false);
        }
        if !first && !self.eat(",") {
            return self.expected("',' or the closing bracket");
        }
        Ok(true)
    }

    fn array(&mut self, depth: u32) -> Result<Value> {
        self.at += 1;
        let mut items: Vec<Value> = Vec::new();
        while self.more(items.is_empty(), "]")? {
            items.push(self.value(depth + 1)?);
        }
        Value::list(items, &self.budget).map_err(too_large)
    }

    fn object(&mut self, depth: u32) -> Result<Value> {
        self.at += 1;
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        while self.more(pairs.is_empty(), "}")? {
            self.space();
            if !self.rest().starts_with('"') {
                return self.expected("a key");
            }
            let key = self.string()?;
            self.space();
            if !self.eat(":") {
                return self.expected("':'");
            }
            let value = self.value(depth + 1)?;
            super::dict::insert(&mut pairs, Value::Str(Str::data(&key)), value, &self.budget).map_err(too_large)?;
        }
        Value::dict(pairs, &self.budget).map_err(too_large)
    }

    fn string(&mut self) -> Result<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let plain = self.rest().find(['"', '\\']).unwrap_or(self.rest().len());
            out.push_str(&self.rest()[..plain]);
            self.at += plain;
            if self.eat("\"") {
                return Ok(out);
            }
            if !self.eat("\\") {
                return self.expected("'\"'");
            }
            let escaped = self.rest().chars().next();
            out.push(match escaped {
                Some(c @ ('"' | '\\' | '/')) => c,
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('u') => {
                    self.at += 1;
                    out.push(self.unicode()?);
                    continue;
                }
                _ => return self.expected("an escape"),
            });
            self.at += 1;
        }
    }

    /// The digits of `\uXXXX`, with those of a second one where the first is half of a pair. Half a pair alone is
    /// U+FFFD.
    fn unicode(&mut self) -> Result<char> {
        let high = self.hex4()?;
        let code = match high {
            0xd800..=0xdbff if self.rest().starts_with("\\u") => {
                let before = self.at;
                self.at += 2;
                match self.hex4()? {
                    low @ 0xdc00..=0xdfff => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                    _ => {
                        self.at = before;
                        high
                    }
                }
            }
            _ => high,
        };
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.expected("four hexadecimal digits"),
        }
    }

    /// Integers stay integers, as in Python.
    fn number(&mut self) -> Result<Value> {
        let rest = self.rest();
        let len = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = &rest[..len];
        let value = match number.parse::<i128>() {
            Ok(n) => Value::Int(n),
            Err(_) => match number.parse::<f64>() {
                Ok(x) => Value::Float(x),
                Err(_) => return self.expected("a number"),
            },
        };
        self.at += len;
        Ok(value)
    }
}

/// How `json.dumps` is asked to write.
#[derive(Debug, Default)]
pub(super) struct Style {
    /// Spaces (or other text) for each level; everything on one line where there is none.
    pub indent: Option<String>,
    pub item_separator: Option<String>,
    pub key_separator: Option<String>,
    pub ensure_ascii: bool,
    pub sort_keys: bool,
}

/// Writes a value as `json.dumps` does.
pub(super) fn dumps(value: &Value, style: &Style, budget: &Budget) -> Result<Str, Fault> {
    let default_separator = if style.indent.is_some() { "," } else { ", " };
    let mut writer = Writer {
        out: Builder::new(budget),
        style,
        item_separator: style.item_separator.as_deref().unwrap_or(default_separator),
        key_separator: style.key_separator.as_deref().unwrap_or(": "),
        budget,
    };
    writer.value(value, 0)?;
    writer.out.finish()
}

struct Writer<'a> {
    out: Builder<'a>,
    style: &'a Style,
    item_separator: &'a str,
    key_separator: &'a str,
    budget: &'a Budget,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Fault> {
        self.budget.steps(1)?;
        match value {
            Value::Str(text) => self.string(text),
            Value::List(list) | Value::Tuple(list) => {
                for (i, item) in list.items.iter().enumerate() {
                    self.before_item(i == 0, "[", depth);
                    self.value(item, depth + 1)?;
                }
                self.close(list.items.is_empty(), "[]", depth);
            }
            Value::Dict(dict) => {
                let mut entries: Vec<&(Value, Value)> = dict.entries.iter().collect();
                if self.style.sort_keys {
                    entries = sort(entries, &mut |a, b| ops::less(&a.0, &b.0, self.budget))?;
                }
                for (i, (key, value)) in entries.into_iter().enumerate() {
                    self.before_item(i == 0, "{", depth);
                    self.key(key)?;
                    self.out.write(self.key_separator);
                    self.value(value, depth + 1)?;
                }
                self.close(dict.entries.is_empty(), "{}", depth);
            }
            other => match plain(other) {
                Some(text) => self.out.write(&text),
                None => fault!("a value of type {} is not JSON serializable", other.kind()),
            },
        }
        Ok(())
    }

    /// Keys that are no strings are written as strings.
    fn key(&mut self, key: &Value) -> Result<(), Fault> {
        match (key, plain(key)) {
            (Value::Str(key), _) => self.string(key),
            (_, Some(text)) => self.out.write(&format!("\"{text}\"")),
            (other, None) => fault!("a key of type {} is not JSON serializable", other.kind()),
        }
        Ok(())
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = &self.style.indent {
            self.out.write("\n");
            self.out.repeat(indent, depth);
        }
    }

    fn before_item(&mut self, first: bool, open: &str, depth: usize) {
        self.out.write(if first { open } else { self.item_separator });
        self.new_line(depth + 1);
    }

    fn close(&mut self, is_empty: bool, brackets: &str, depth: usize) {
        if is_empty {
            return self.out.write(brackets);
        }
        self.new_line(depth);
        self.out.write(&brackets[1..]);
    }

    fn string(&mut self, text: &Str) {
        self.out.write("\"");
        let s = text.as_str();
        let is_plain = |c: char| c >= ' ' && c != '"' && c != '\\' && !(self.style.ensure_ascii && c > '~');
        let mut from = 0;
        while let Some((at, c)) = s[from..].char_indices().find(|&(_, c)| !is_plain(c)) {
            let at = from + at;
            self.out.push_slice(text, from..at);
            self.out.push_str(&escaped(c), text.is_data(at));
            from = at + c.len_utf8();
        }
        self.out.push_slice(text, from..s.len());
        self.out.write("\"");
    }
}

fn escaped(c: char) -> String {
    match c {
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        '\u{8}' => "\\b".into(),
        '\u{c}' => "\\f".into(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    }
}

/// Numbers and constants.
fn plain(value: &Value) -> Option<String> {
    Some(match value {
        Value::None => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(x) => {
            let mut text = String::new();
            push_float(&mut text, *x, ["NaN", "Infinity", "-Infinity"]);
            text
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(json: &str, style: &Style) -> String {
        dumps(&parse(json).unwrap(), style, &Budget::default()).unwrap().as_str().to_owned()
    }

    #[test]
    fn what_python_writes() {
        let one_line = |json: &str| again(json, &Style::default());
        assert_eq!(
            one_line(r#"{"b":[1,2.5,-0.0],"a":{"x":null,"y":true},"c":[],"d":{}}"#),
            r#"{"b": [1, 2.5, -0.0], "a": {"x": null, "y": true}, "c": [], "d": {}}"#
        );
        assert_eq!(
            one_line(r#""\"\\\/\b\f\n\r\t\u0001\u007fé<&>'\ud83e\udd99\ud83e""#),
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\u{7f}é<&>'🦙\u{fffd}\""
        );
        assert_eq!(
            one_line("[1e16,1e15,123456789012345680.0,0.0001,0.00001,1e-7,1.5e300,100000000000000000000]"),
            "[1e+16, 1000000000000000.0, 1.2345678901234568e+17, 0.0001, 1e-05, 1e-07, 1.5e+300, 100000000000000000000]"
        );
        let indented = Style { indent: Some("  ".into()), ..Style::default() };
        assert_eq!(again(r#"{"a":[1,{}],"b":[]}"#, &indented), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
        let ascii = Style { ensure_ascii: true, sort_keys: true, item_separator: Some(",".into()), ..Style::default() };
        assert_eq!(again(r#"{"é":1,"a":"🦙"}"#, &ascii), r#"{"a": "\ud83e\udd99","\u00e9": 1}"#);
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for text in
            ["", "{", "[1,]", "{\"a\" 1}", "{a:1}", "\"a", "\"\\x\"", "\"\\u12\"", "nul", "1 2", "-", "1.2.3", "[1 2]"]
        {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), "INVALID_ARGUMENT", "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).unwrap_err().to_string().contains("nested deeper than 128"));
    }
}
