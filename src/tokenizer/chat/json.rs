//! JSON to the template engine's values and back as Python writes it (RFC 8259; CPython, `Lib/json`).
//!
//! A reader and a writer of our own: what comes in goes straight into the engine's values, in order, and what goes
//! out has to be what `json.dumps` gives, down to the spaces. It is a fifth of the size of a serialization library.

use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use crate::error::{Result, bail};

/// Deeper nesting is refused, as it is read and written by recursion.
const MAX_DEPTH: u32 = 128;

/// Reads one JSON value.
///
/// # Errors
/// `InvalidArgument` naming the byte where the text is not JSON.
pub fn parse(text: &str) -> Result<Value> {
    let mut parser = Parser { text, at: 0 };
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
            Some(b'"') => Ok(self.string()?.into()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.eat("true") => Ok(true.into()),
            _ if self.eat("false") => Ok(false.into()),
            _ if self.eat("null") => Ok(().into()),
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
        Ok(items.into())
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
            pairs.push((key.into(), self.value(depth + 1)?));
        }
        Ok(Value::from_pairs(pairs))
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
            Ok(n) => i64::try_from(n).map_or_else(|_| Value::from(n), Value::from),
            Err(_) => match number.parse::<f64>() {
                Ok(x) => Value::from(x),
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
pub(super) fn dumps(value: &Value, style: &Style) -> Result<String, Error> {
    let default_separator = if style.indent.is_some() { "," } else { ", " };
    let mut writer = Writer {
        out: String::new(),
        style,
        item_separator: style.item_separator.as_deref().unwrap_or(default_separator),
        key_separator: style.key_separator.as_deref().unwrap_or(": "),
    };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer<'a> {
    out: String,
    style: &'a Style,
    item_separator: &'a str,
    key_separator: &'a str,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: u32) -> Result<(), Error> {
        let not_serializable =
            |what: &str| Err(Error::new(ErrorKind::BadSerialization, format!("{what} is not JSON serializable")));
        if depth > MAX_DEPTH {
            return not_serializable("a value nested so deeply");
        }
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self.out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.number(value),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => {
                let mut is_empty = true;
                for item in value.try_iter()?.checked() {
                    self.before_item(is_empty, '[', depth);
                    is_empty = false;
                    self.value(&item?, depth + 1)?;
                }
                self.close(is_empty, "[]", depth);
            }
            ValueKind::Map => {
                let keys: Vec<Value> = value.try_iter()?.checked().collect::<Result<_, _>>()?;
                let mut keys: Vec<&Value> = keys.iter().collect();
                if self.style.sort_keys {
                    keys.sort();
                }
                let mut is_empty = true;
                for key in keys {
                    self.before_item(is_empty, '{', depth);
                    is_empty = false;
                    self.key(key)?;
                    self.out.push_str(self.key_separator);
                    self.value(&value.get_item(key)?, depth + 1)?;
                }
                self.close(is_empty, "{}", depth);
            }
            ValueKind::Undefined => return not_serializable("an undefined value"),
            kind => return not_serializable(&format!("a value of kind {kind}")),
        }
        Ok(())
    }

    /// Keys that are no strings are written as strings.
    fn key(&mut self, key: &Value) -> Result<(), Error> {
        if let Some(key) = key.as_str() {
            self.string(key);
            return Ok(());
        }
        self.out.push('"');
        self.value(key, MAX_DEPTH)?;
        self.out.push('"');
        Ok(())
    }

    fn new_line(&mut self, depth: u32) {
        if let Some(indent) = &self.style.indent {
            self.out.push('\n');
            (0..depth).for_each(|_| self.out.push_str(indent));
        }
    }

    fn before_item(&mut self, first: bool, open: char, depth: u32) {
        match first {
            true => self.out.push(open),
            false => self.out.push_str(self.item_separator),
        }
        self.new_line(depth + 1);
    }

    fn close(&mut self, is_empty: bool, brackets: &str, depth: u32) {
        if is_empty {
            return self.out.push_str(brackets);
        }
        self.new_line(depth);
        self.out.push_str(&brackets[1..]);
    }

    fn number(&mut self, value: &Value) {
        match float(value) {
            Some(x) => push_float(&mut self.out, x, ["NaN", "Infinity", "-Infinity"]),
            None => _ = write!(self.out, "{value}"),
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if c < ' ' || self.style.ensure_ascii && !(' '..='~').contains(&c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        _ = write!(self.out, "\\u{unit:04x}");
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

/// The number if it is a float, which Python writes in its own way.
pub(super) fn float(value: &Value) -> Option<f64> {
    let is_float = value.kind() == ValueKind::Number && !value.is_integer();
    is_float.then(|| f64::try_from(value.clone()).ok()).flatten()
}

/// Appends a float as Python's `repr` does: the shortest digits that give it back, with an exponent from 1e16 on and
/// below 1e-4. The names are those of NaN and the infinities.
pub(super) fn push_float(out: &mut String, x: f64, names: [&str; 3]) {
    if x.is_nan() {
        return out.push_str(names[0]);
    }
    if x.is_infinite() {
        return out.push_str(if x > 0.0 { names[1] } else { names[2] });
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        _ = write!(out, "{x:?}");
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        _ = write!(out, "{digits}e{sign}{:02}", exponent.abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(json: &str, style: &Style) -> String {
        dumps(&parse(json).unwrap(), style).unwrap()
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
