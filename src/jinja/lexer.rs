//! From source to tokens, with the white space that Jinja2 leaves out: `trim_blocks`, `lstrip_blocks`, `-` and `+` at
//! tags, and one newline at the end of the source.

use super::strings::{is_space, trim_end, trim_start};
use super::text::Str;
use super::value::Value;
use super::{Fault, Result};

#[derive(Debug, Clone)]
pub enum Token {
    Text(Str),
    /// `{{`, `}}`, `{%`, `%}`
    PrintBegin,
    PrintEnd,
    BlockBegin,
    BlockEnd,
    Name(String),
    Const(Value),
    Operator(&'static str),
}

/// Longer ones first.
const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";",
];

/// The tokens, each with its line.
pub fn tokens(source: &str) -> Result<Vec<(Token, u32)>> {
    // Jinja2 takes all line ends for `\n`.
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let source = source.strip_suffix('\n').unwrap_or(&source);
    let mut lexer = Lexer { rest: source, line: 1, at_line_start: true, out: Vec::new() };
    lexer.template().map_err(|fault| fault.at(lexer.line))?;
    Ok(lexer.out)
}

struct Lexer<'s> {
    rest: &'s str,
    line: u32,
    /// What came last ended with a newline: spaces before a tag are then its indentation.
    at_line_start: bool,
    out: Vec<(Token, u32)>,
}

pub fn syntax<T>(message: &str) -> Result<T> {
    Err(Fault::new(format!("syntax error: {message}")))
}

impl<'s> Lexer<'s> {
    /// Goes on by `len` bytes.
    fn take(&mut self, len: usize) -> &'s str {
        let (taken, rest) = self.rest.split_at(len);
        self.line += taken.bytes().filter(|&b| b == b'\n').count() as u32;
        if len > 0 {
            self.at_line_start = taken.ends_with('\n');
        }
        self.rest = rest;
        taken
    }

    fn push(&mut self, token: Token) {
        self.out.push((token, self.line));
    }

    fn template(&mut self) -> Result<()> {
        while !self.rest.is_empty() {
            let tag = self
                .rest
                .match_indices('{')
                .map(|(at, _)| at)
                .find(|&at| matches!(self.rest.as_bytes().get(at + 1), Some(b'%' | b'{' | b'#')));
            let Some(at) = tag else {
                let text = self.rest;
                self.push(Token::Text(text.into()));
                return Ok(());
            };
            let (text, tag) = self.rest.split_at(at);
            self.text(text, tag);
            match tag.as_bytes()[1] {
                b'#' => self.comment()?,
                b'{' => {
                    self.take(2);
                    self.sign();
                    self.push(Token::PrintBegin);
                    self.tag("}}", Token::PrintEnd)?;
                }
                _ => match raw_len(tag) {
                    Some(len) => self.raw(len)?,
                    None => {
                        self.take(2);
                        self.sign();
                        self.push(Token::BlockBegin);
                        self.tag("%}", Token::BlockEnd)?;
                    }
                },
            }
        }
        Ok(())
    }

    fn spaces(&mut self) {
        self.take(self.rest.len() - trim_start(self.rest).len());
    }

    fn sign(&mut self) {
        if self.rest.starts_with(['-', '+']) {
            self.take(1);
        }
    }

    /// The text before a tag, without what the tag takes of it.
    fn text(&mut self, text: &str, tag: &str) {
        let kept = match tag.as_bytes().get(2) {
            Some(b'-') => trim_end(text),
            Some(b'+') => text,
            _ if tag.starts_with("{{") => text,
            _ => {
                let line_start = text.rfind('\n').map_or(0, |at| at + 1);
                let is_indentation = text[line_start..].chars().all(is_space);
                let begins_line = line_start > 0 || self.at_line_start;
                if begins_line && is_indentation { &text[..line_start] } else { text }
            }
        };
        if !kept.is_empty() {
            self.push(Token::Text(kept.into()));
        }
        self.take(text.len());
    }

    /// What the end of a tag takes of the text after it.
    fn end(&mut self, trims: bool) {
        let sign = self.rest.as_bytes()[0];
        self.take(2 + usize::from(matches!(sign, b'-' | b'+')));
        match sign {
            b'-' => self.spaces(),
            b'+' => {}
            _ if trims && self.rest.starts_with('\n') => _ = self.take(1),
            _ => {}
        }
    }

    fn comment(&mut self) -> Result<()> {
        let Some(at) = self.rest[2..].find("#}") else { return syntax("a comment has no end, '#}'") };
        let at = at + 2;
        // The sign before the end is part of the end.
        let sign = usize::from(at > 2 && matches!(self.rest.as_bytes()[at - 1], b'-' | b'+'));
        self.take(at - sign);
        self.end(true);
        Ok(())
    }

    fn raw(&mut self, begin: usize) -> Result<()> {
        self.take(begin);
        let mut from = 0;
        while let Some(at) = self.rest[from..].find("{%").map(|at| at + from) {
            if let Some((len, sign)) = tag_of(&self.rest[at..], "endraw", true) {
                let (text, tag) = self.rest.split_at(at);
                self.text(text, tag);
                self.take(len - 2 - usize::from(sign));
                self.end(true);
                return Ok(());
            }
            from = at + 2;
        }
        syntax("a raw block has no end, '{% endraw %}'")
    }

    /// The tokens of a tag to its end.
    fn tag(&mut self, close: &str, end: Token) -> Result<()> {
        let mut brackets: Vec<&str> = Vec::new();
        loop {
            self.spaces();
            let Some(c) = self.rest.chars().next() else { return syntax("the template ends within a tag") };
            if brackets.is_empty() {
                let signed = self
                    .rest
                    .strip_prefix('-')
                    .or_else(|| if close == "%}" { self.rest.strip_prefix('+') } else { None });
                if signed.unwrap_or(self.rest).starts_with(close) {
                    self.push(end);
                    self.end(close == "%}");
                    return Ok(());
                }
            }
            match c {
                '\'' | '"' => self.string()?,
                c if c.is_ascii_digit() => self.number()?,
                c if is_word(c) => {
                    let len = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                    self.push(Token::Name(self.rest[..len].to_owned()));
                    self.take(len);
                }
                c => {
                    let Some(operator) = OPERATORS.into_iter().find(|o| self.rest.starts_with(o)) else {
                        return syntax(&format!("unexpected character '{}'", c.escape_debug()));
                    };
                    match operator {
                        "(" => brackets.push(")"),
                        "[" => brackets.push("]"),
                        "{" => brackets.push("}"),
                        ")" | "]" | "}" if brackets.pop() != Some(operator) => {
                            return syntax(&format!("unexpected '{operator}'"));
                        }
                        _ => {}
                    }
                    self.push(Token::Operator(operator));
                    self.take(operator.len());
                }
            }
        }
    }

    fn string(&mut self) -> Result<()> {
        let quote = self.rest.as_bytes()[0];
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let ends = byte == quote && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let Some(len) = end else { return syntax("a string has no end") };
        let text = unescape(&self.rest[1..=len])?;
        self.push(Token::Const(Value::text(&text)));
        self.take(len + 2);
        Ok(())
    }

    fn number(&mut self) -> Result<()> {
        let (value, len) = number(self.rest)?;
        self.push(Token::Const(value));
        self.take(len);
        Ok(())
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the tag `{% name %}` at the start of the text, and whether a sign stands before its end. A sign of its
/// end takes white space with it where a raw block begins.
fn tag_of(text: &str, name: &str, allows_plus: bool) -> Option<(usize, bool)> {
    let inside = text.strip_prefix("{%")?;
    let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside);
    let rest = trim_start(trim_start(inside).strip_prefix(name)?);
    let unsigned = rest.strip_prefix('-').or_else(|| rest.strip_prefix('+').filter(|_| allows_plus));
    let after = unsigned.unwrap_or(rest).strip_prefix("%}")?;
    Some((text.len() - after.len(), unsigned.is_some()))
}

/// The length of the tag that begins a raw block, with the white space that it takes. It takes no newline without a sign.
fn raw_len(text: &str) -> Option<usize> {
    let (len, sign) = tag_of(text, "raw", false)?;
    Some(if sign { text.len() - trim_start(&text[len..]).len() } else { len })
}

/// What Python's codec `unicode-escape` makes of the inside of a string literal.
fn unescape(text: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else { break };
        let digits = match c {
            'x' => Some((16, 1, 2)),
            'u' => Some((16, 1, 4)),
            'U' => Some((16, 1, 8)),
            '0'..='7' => Some((8, 0, 3)),
            _ => None,
        };
        if let Some((radix, skip, max)) = digits {
            let len = rest[skip..].chars().take(max).take_while(|c| c.is_digit(radix)).count();
            let code = u32::from_str_radix(&rest[skip..skip + len], radix);
            let Some(code) = code.ok().filter(|_| radix == 8 || len == max) else {
                return syntax(&format!("'\\{c}' in a string needs {max} hexadecimal digits"));
            };
            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest = &rest[skip + len..];
            continue;
        }
        match c {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            'a' => out.push('\u{7}'),
            '\\' | '\'' | '"' => out.push(c),
            '\n' => {}
            // As it is, the backslash too.
            c => out.extend(['\\', c]),
        }
        rest = &rest[c.len_utf8()..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The number that the text starts with, and its length. Underscores may stand between digits.
fn number(text: &str) -> Result<(Value, usize)> {
    let bytes = text.as_bytes();
    // The end of digits from `at` on.
    let digits = |mut at: usize, radix: u32| {
        let is_digit = |at: usize| bytes.get(at).is_some_and(|&b| char::from(b).is_digit(radix));
        while is_digit(at) || bytes.get(at) == Some(&b'_') && is_digit(at + 1) {
            at += 1;
        }
        at
    };
    let radix = match (bytes[0], bytes.get(1).map(u8::to_ascii_lowercase)) {
        (b'0', Some(b'x')) => 16,
        (b'0', Some(b'o')) => 8,
        (b'0', Some(b'b')) => 2,
        _ => 10,
    };
    if radix != 10 {
        let end = digits(2, radix);
        return match i128::from_str_radix(&text[2..end].replace('_', ""), radix) {
            Ok(n) => Ok((Value::Int(n), end)),
            Err(_) => Ok((Value::Int(0), 1)),
        };
    }
    let whole = digits(0, 10);
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') && digits(end + 1, 10) > end + 1 {
        end = digits(end + 1, 10);
    }
    if bytes.get(end).is_some_and(|b| b.eq_ignore_ascii_case(&b'e')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign, 10);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    let plain = text[..end].replace('_', "");
    if end > whole {
        return plain.parse().map(|x| (Value::Float(x), end)).or_else(|_| syntax("a number is not whole"));
    }
    // `007` is `00` and 7.
    if bytes[0] == b'0' && plain.bytes().any(|b| b != b'0') {
        return Ok((Value::Int(0), text.find(|c| c != '0').unwrap_or(1)));
    }
    match plain.parse() {
        Ok(n) => Ok((Value::Int(n), end)),
        Err(_) => syntax(&format!("the number {plain} has more than 128 bits")),
    }
}
