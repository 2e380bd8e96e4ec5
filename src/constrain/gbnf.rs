//! Grammars in GBNF, llama.cpp's notation: `name ::= "text" [a-z] other* (a | b){2,3}`. The rule `root` is the text.

use std::collections::HashMap;

use super::chars::Chars;
use super::term::{EMPTY, Id, MANY, Term, Terms};
use crate::error::{Error, Result};

/// Bytes of a grammar.
const MAX_BYTES: usize = 1 << 20;
/// Groups within groups.
const MAX_NESTING: usize = 100;
const MAX_REPEAT: u32 = 100_000;

/// The texts of a grammar.
///
/// # Errors
/// `InvalidArgument` that names the line and what is wrong there.
pub fn gbnf(t: &mut Terms, grammar: &str) -> Result<Id> {
    let mut parser = Parser { text: grammar, at: 0, depth: 0, rules: HashMap::new() };
    if grammar.len() > MAX_BYTES {
        return Err(parser.error(&format!("it has {} bytes, {MAX_BYTES} are allowed", grammar.len())));
    }
    loop {
        parser.space(true);
        if parser.rest().is_empty() {
            break;
        }
        parser.rule(t)?;
    }
    let undefined = parser.rules.iter().filter(|&(_, &id)| is_undefined(t, id)).map(|(name, _)| name).min();
    if let Some(name) = undefined {
        return Err(Error::InvalidArgument(format!("the grammar has no rule '{name}', which another one uses")));
    }
    match parser.rules.get("root") {
        Some(&root) => Ok(root),
        None => Err(Error::InvalidArgument("the grammar has no rule 'root', where a text begins".into())),
    }
}

fn is_undefined(t: &Terms, id: Id) -> bool {
    matches!(*t.get(id), Term::Rule(rule) if t.body(rule).is_none())
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    rules: HashMap<&'a str, Id>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, why: &str) -> Error {
        let line = 1 + self.text[..self.at].matches('\n').count();
        Error::InvalidArgument(format!("line {line} of the grammar can't be used: {why}"))
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Skip spaces and comments, and line ends where a rule may go on after them.
    fn space(&mut self, lines: bool) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\n' | '\r') if lines => self.at += 1,
                Some('#') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    fn name(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn rule_of(&mut self, t: &mut Terms, name: &'a str) -> Id {
        *self.rules.entry(name).or_insert_with(|| t.rule(format!("the rule '{name}'")))
    }

    fn rule(&mut self, t: &mut Terms) -> Result<()> {
        let name = self.name();
        self.space(false);
        if name.is_empty() || !self.eat("::=") {
            return Err(self.error("a rule is written 'name ::= ...'"));
        }
        let rule = self.rule_of(t, name);
        if !is_undefined(t, rule) {
            return Err(self.error(&format!("the rule '{name}' is there twice")));
        }
        self.space(true);
        let body = self.alternatives(t, false)?;
        t.define(rule, body);
        match self.peek() {
            None | Some('\n' | '\r') => Ok(()),
            Some(c) => Err(self.error(&format!("'{c}' is not expected"))),
        }
    }

    fn alternatives(&mut self, t: &mut Terms, nested: bool) -> Result<Id> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(self.error(&format!("groups are nested more than {MAX_NESTING} deep")));
        }
        let mut parts = vec![self.sequence(t, nested)?];
        while self.eat("|") {
            self.space(true);
            parts.push(self.sequence(t, nested)?);
        }
        self.depth -= 1;
        Ok(t.alt(&parts))
    }

    fn sequence(&mut self, t: &mut Terms, nested: bool) -> Result<Id> {
        let mut parts = Vec::new();
        while let Some(item) = self.item(t)? {
            parts.push(self.repeated(t, item)?);
            self.space(nested);
        }
        Ok(t.seq(&parts))
    }

    fn item(&mut self, t: &mut Terms) -> Result<Option<Id>> {
        Ok(Some(match self.peek() {
            Some('"') => {
                self.at += 1;
                let mut text = String::new();
                while !self.eat("\"") {
                    text.push(self.char()?);
                }
                t.text(&text)
            }
            Some('[') => {
                self.at += 1;
                let negated = self.eat("^");
                let mut ranges = Vec::new();
                while !self.eat("]") {
                    let first = u32::from(self.char()?);
                    let is_range = self.rest().starts_with('-') && !self.rest().starts_with("-]");
                    let last = if is_range {
                        self.at += 1;
                        u32::from(self.char()?)
                    } else {
                        first
                    };
                    ranges.push((first, last));
                }
                let set = Chars::of(&ranges);
                if negated { set.not().utf8(t) } else { set.utf8(t) }
            }
            Some('.') => {
                self.at += 1;
                Chars::all().utf8(t)
            }
            Some('(') => {
                self.at += 1;
                self.space(true);
                let inner = self.alternatives(t, true)?;
                if !self.eat(")") {
                    return Err(self.error("a group is not closed"));
                }
                inner
            }
            Some(c) if c.is_ascii_alphanumeric() || c == '_' || c == '-' => {
                let name = self.name();
                self.rule_of(t, name)
            }
            Some('<' | '!') => return Err(self.error("tokens by number or name are not supported; write their text")),
            _ => return Ok(None),
        }))
    }

    fn repeated(&mut self, t: &mut Terms, mut item: Id) -> Result<Id> {
        loop {
            // Not beyond the line: what comes there may be another rule.
            self.space(false);
            let (least, most) = match self.peek() {
                Some('*') => (0, MANY),
                Some('+') => (1, MANY),
                Some('?') => (0, 1),
                Some('{') => {
                    let inner = self.rest().split_once('}').map(|(inner, _)| &inner[1..]);
                    let inner = inner.ok_or_else(|| self.error("'{' is not closed"))?;
                    self.at += inner.len() + 1;
                    self.counts(inner).ok_or_else(|| {
                        self.error(&format!("{{{inner}}} is no repetition; up to {MAX_REPEAT} in order is allowed"))
                    })?
                }
                _ => return Ok(item),
            };
            self.at += 1;
            item = if item == EMPTY { EMPTY } else { t.repeat(item, least, most) };
        }
    }

    fn counts(&self, inner: &str) -> Option<(u32, u32)> {
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|&n| n <= MAX_REPEAT);
        let (least, most) = match inner.split_once(',') {
            None => (number(inner)?, number(inner)?),
            Some((least, most)) if most.trim().is_empty() => (number(least)?, MANY),
            Some((least, most)) => (number(least)?, number(most)?),
        };
        (least <= most).then_some((least, most))
    }

    /// A character of a text or a class, which an escape may spell.
    fn char(&mut self) -> Result<char> {
        let c = self.peek().ok_or_else(|| self.error("a text or a class is not closed"))?;
        self.at += c.len_utf8();
        if c != '\\' {
            return Ok(c);
        }
        let c = self.peek().ok_or_else(|| self.error("a text ends in a backslash"))?;
        self.at += c.len_utf8();
        let n = match c {
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            '"' | '\\' | '[' | ']' | '-' | '^' => return Ok(c),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c => return Err(self.error(&format!("there is no escape '\\{c}'"))),
        };
        let digits = self.rest().get(..n).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        self.at += if code.is_some() { n } else { 0 };
        code.ok_or_else(|| self.error(&format!("'\\{c}' wants {n} hexadecimal digits of a character")))
    }
}
