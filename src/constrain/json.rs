//! JSON (RFC 8259) with what a schema needs: the order of keys, and numbers as they are written.

use super::chars::{Spelling, json_char};
use super::term::{Id, Terms};
use crate::error::{Error, Result};
use crate::floats;

/// Arrays and objects within others.
const MAX_NESTING: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// # Errors
    /// `InvalidArgument` that says where the text is no JSON.
    pub fn read(text: &str) -> Result<Json> {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let value = reader.value()?;
        reader.space();
        if reader.at < text.len() {
            return Err(reader.error("something follows the value"));
        }
        Ok(value)
    }

    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            // Of two with one name, the last counts, as in JSON.parse.
            Json::Object(entries) => entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The name of its type in JSON Schema.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "number",
            Json::Text(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }

    /// The value as a term: keys in their order, numbers and texts as `JSON.stringify` writes them.
    pub fn term(&self, t: &mut Terms) -> Id {
        match self {
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => t.text(&self.text()),
            Json::Array(items) => {
                let items: Vec<Id> = items.iter().map(|item| item.term(t)).collect();
                enclosed(t, "[", &items, "]")
            }
            Json::Object(entries) => {
                let entries: Vec<Id> = entries
                    .iter()
                    .map(|(key, value)| {
                        let value = value.term(t);
                        member(t, key, value)
                    })
                    .collect();
                enclosed(t, "{", &entries, "}")
            }
        }
    }

    /// A value without parts as `JSON.stringify` writes it; nothing of others.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Bool(value) => value.to_string(),
            Json::Number(text) => number(text),
            Json::Text(text) => format!("\"{}\"", text.chars().map(json_char).collect::<String>()),
            Json::Array(_) | Json::Object(_) => String::new(),
        }
    }

    #[must_use]
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Json::Array(_) | Json::Object(_))
    }
}

/// A number as `JSON.stringify` writes it.
fn number(text: &str) -> String {
    let is_integer = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    match floats::parse(text) {
        // Beyond 2^53 an integer is better kept in its digits.
        Some(v) if !is_integer && v.is_finite() => floats::text(v),
        _ if text == "-0" => "0".to_owned(),
        _ => text.to_owned(),
    }
}

/// After ':' and ',': nothing or a space.
pub fn space(t: &mut Terms) -> Id {
    let space = t.text(" ");
    t.opt(space)
}

pub fn comma(t: &mut Terms) -> Id {
    let (comma, space) = (t.text(","), space(t));
    t.cat(comma, space)
}

pub fn quoted(t: &mut Terms, text: &str) -> Id {
    let (quote, text) = (t.text("\""), Spelling::Json.text(t, text));
    t.seq(&[quote, text, quote])
}

/// A key with its value.
pub fn member(t: &mut Terms, key: &str, value: Id) -> Id {
    let key = quoted(t, key);
    keyed(t, key, value)
}

pub fn keyed(t: &mut Terms, key: Id, value: Id) -> Id {
    let (colon, space) = (t.text(":"), space(t));
    t.seq(&[key, colon, space, value])
}

fn enclosed(t: &mut Terms, open: &str, items: &[Id], close: &str) -> Id {
    let comma = comma(t);
    let mut parts = vec![t.text(open)];
    for (i, &item) in items.iter().enumerate() {
        if i > 0 {
            parts.push(comma);
        }
        parts.push(item);
    }
    parts.push(t.text(close));
    t.seq(&parts)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn error(&self, why: &str) -> Error {
        Error::InvalidArgument(format!("the schema is no JSON: {why} (at byte {})", self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.text[self.at..].starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Result<Json> {
        self.space();
        match self.peek() {
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.eat("null") => Ok(Json::Null),
            _ if self.eat("true") => Ok(Json::Bool(true)),
            _ if self.eat("false") => Ok(Json::Bool(false)),
            _ => Err(self.error("a value is missing")),
        }
    }

    fn enter(&mut self) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(self.error(&format!("it is nested more than {MAX_NESTING} deep")));
        }
        self.space();
        Ok(())
    }

    fn array(&mut self) -> Result<Json> {
        self.enter()?;
        let mut items = Vec::new();
        while !self.eat("]") {
            if !items.is_empty() && !self.eat(",") {
                return Err(self.error("',' or ']' is missing"));
            }
            items.push(self.value()?);
            self.space();
        }
        self.depth -= 1;
        Ok(Json::Array(items))
    }

    fn object(&mut self) -> Result<Json> {
        self.enter()?;
        let mut entries = Vec::new();
        while !self.eat("}") {
            if !entries.is_empty() && !self.eat(",") {
                return Err(self.error("',' or '}' is missing"));
            }
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.error("a key is missing"));
            }
            let key = self.string()?;
            self.space();
            if !self.eat(":") {
                return Err(self.error("':' is missing"));
            }
            entries.push((key, self.value()?));
            self.space();
        }
        self.depth -= 1;
        Ok(Json::Object(entries))
    }

    fn number(&mut self) -> Result<Json> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !"+-.0123456789eE".contains(c)).unwrap_or(rest.len());
        let text = &rest[..end];
        let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let whole = whole.strip_prefix('-').unwrap_or(whole);
        let ok = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits)
            && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
        if !ok || text.len() > 1000 {
            return Err(self.error("a number is none"));
        }
        self.at += end;
        Ok(Json::Number(text.to_owned()))
    }

    fn string(&mut self) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.text[self.at..].chars().next() else { return Err(self.error("a string is not closed")) };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                c if c < ' ' => return Err(self.error("a string has a control character")),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let c = self.peek().unwrap_or_default();
        self.at += usize::from(c.is_ascii());
        Ok(match c {
            b'"' | b'\\' | b'/' => c.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let code = self.hex4()?;
                if (0xd800..0xdc00).contains(&code) && self.eat("\\u") {
                    let low = self.hex4()?;
                    let code = 0x1_0000 + ((code - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                    return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.error("there is no such escape")),
        })
    }

    fn hex4(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4 * usize::from(code.is_some());
        code.ok_or_else(|| self.error("'\\u' wants four hexadecimal digits"))
    }
}
