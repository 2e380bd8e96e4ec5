//! Regular expressions in JavaScript's syntax (ECMA-262), without what is not regular: look-around, back-references, word
//! boundaries. What matches is the same whether a quantifier is greedy or lazy.

use super::chars::{Chars, Spelling};
use super::term::{EMPTY, Id, MANY, Terms};
use crate::error::{Error, Result};

/// Groups within groups.
const MAX_NESTING: usize = 100;
/// A repetition's numbers.
const MAX_REPEAT: u32 = 100_000;
/// Characters of an expression.
const MAX_LENGTH: usize = 20_000;

#[derive(Debug, Clone)]
enum Node {
    Chars(Chars),
    Seq(Vec<Node>),
    Alt(Vec<Node>),
    Repeat(Box<Node>, u32, u32),
    Start,
    End,
}

/// What the texts of an expression are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that it matches as a whole.
    Whole,
    /// Those in which it matches somewhere.
    Somewhere,
}

/// The texts of a regular expression.
///
/// # Errors
/// `InvalidArgument` that says where and why the expression is none, or what is not supported.
pub fn regex(t: &mut Terms, pattern: &str, spelling: Spelling, scope: Scope) -> Result<Id> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut parser = Parser { chars: &chars, at: 0, depth: 0 };
    if chars.len() > MAX_LENGTH {
        return Err(parser.error(&format!("it has {} characters, {MAX_LENGTH} are allowed", chars.len())));
    }
    let node = parser.alternatives()?;
    if parser.at < chars.len() {
        return Err(parser.error("')' closes no group"));
    }
    let compiler = Compiler { spelling, scope };
    compiler.node(t, &node, true, true).ok_or_else(|| {
        let allowed = "'^' is allowed at the beginning and '$' at the end of an alternative";
        Error::InvalidArgument(format!("the pattern '{pattern}' has an anchor in the middle; {allowed}"))
    })
}

struct Compiler {
    spelling: Spelling,
    scope: Scope,
}

impl Compiler {
    /// A node that is first, or last, in the expression. `None` if it has an anchor in the middle.
    fn node(&self, t: &mut Terms, node: &Node, first: bool, last: bool) -> Option<Id> {
        match node {
            Node::Alt(parts) => {
                let parts: Option<Vec<Id>> = parts.iter().map(|part| self.node(t, part, first, last)).collect();
                Some(t.alt(&parts?))
            }
            Node::Seq(parts) => {
                let starts = parts.iter().take_while(|part| matches!(part, Node::Start)).count();
                let ends = parts[starts..].iter().rev().take_while(|part| matches!(part, Node::End)).count();
                if starts > 0 && !first || ends > 0 && !last {
                    return None;
                }
                let inner = &parts[starts..parts.len() - ends];
                let mut ids = Vec::new();
                // A group at the edge has anchors of its own.
                let open_first = first && starts == 0;
                let open_last = last && ends == 0;
                for (i, part) in inner.iter().enumerate() {
                    ids.push(self.node(t, part, open_first && i == 0, open_last && i + 1 == inner.len())?);
                }
                if inner.is_empty() && (open_first || open_last) && self.scope == Scope::Somewhere {
                    ids.push(self.anything(t));
                }
                Some(t.seq(&ids))
            }
            Node::Start | Node::End => self.node(t, &Node::Seq(vec![node.clone()]), first, last),
            Node::Chars(set) => {
                let id = self.spelling.chars(t, set);
                Some(self.padded(t, id, first, last))
            }
            Node::Repeat(inner, least, most) => {
                let inner = self.node(t, inner, false, false)?;
                let id = t.repeat(inner, *least, *most);
                Some(self.padded(t, id, first, last))
            }
        }
    }

    fn anything(&self, t: &mut Terms) -> Id {
        let any = self.spelling.chars(t, &Chars::all());
        t.star(any)
    }

    /// With what may stand before and after.
    fn padded(&self, t: &mut Terms, id: Id, first: bool, last: bool) -> Id {
        if self.scope == Scope::Whole {
            return id;
        }
        let any = self.anything(t);
        t.seq(&[if first { any } else { EMPTY }, id, if last { any } else { EMPTY }])
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, why: &str) -> Error {
        let pattern: String = self.chars.iter().take(200).collect();
        Error::InvalidArgument(format!("the pattern '{pattern}' can't be used: {why} (at character {})", self.at))
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        self.at += if found { text.chars().count() } else { 0 };
        found
    }

    fn alternatives(&mut self) -> Result<Node> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(self.error(&format!("groups are nested more than {MAX_NESTING} deep")));
        }
        let mut parts = vec![self.sequence()?];
        while self.eat("|") {
            parts.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(Node::Alt(parts))
    }

    fn sequence(&mut self) -> Result<Node> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            if c == '|' || c == ')' {
                break;
            }
            let node = self.atom(c)?;
            parts.push(self.quantified(node)?);
        }
        Ok(Node::Seq(parts))
    }

    fn atom(&mut self, c: char) -> Result<Node> {
        self.at += 1;
        Ok(match c {
            '^' => Node::Start,
            '$' => Node::End,
            '.' => Node::Chars(line_ends().not()),
            '[' => Node::Chars(self.class()?),
            '\\' => Node::Chars(self.escape(false)?),
            '(' => {
                if self.eat("?<") {
                    if matches!(self.peek(), Some('=' | '!')) {
                        return Err(self.error("look-behind is not supported"));
                    }
                    while let Some(c) = self.peek() {
                        self.at += 1;
                        if c == '>' {
                            break;
                        }
                    }
                } else if self.eat("?=") || self.eat("?!") {
                    return Err(self.error("look-ahead is not supported"));
                } else if !self.eat("?:") && self.peek() == Some('?') {
                    return Err(self.error("a group of this kind is not supported"));
                }
                let node = self.alternatives()?;
                if !self.eat(")") {
                    return Err(self.error("a group is not closed"));
                }
                node
            }
            '*' | '+' | '?' => return Err(self.error(&format!("'{c}' repeats nothing"))),
            c => Node::Chars(Chars::one(c)),
        })
    }

    fn quantified(&mut self, node: Node) -> Result<Node> {
        let start = self.at;
        let (least, most) = match self.peek() {
            Some('*') => (0, MANY),
            Some('+') => (1, MANY),
            Some('?') => (0, 1),
            Some('{') => match self.counts()? {
                Some(counts) => counts,
                None => return Ok(node), // a brace, as text
            },
            _ => return Ok(node),
        };
        if matches!(node, Node::Start | Node::End) {
            return Err(self.error("an anchor can't be repeated"));
        }
        if self.at == start {
            self.at += 1;
        }
        self.eat("?"); // lazy
        if matches!(self.peek(), Some('*' | '+' | '?')) {
            return Err(self.error("a quantifier repeats nothing"));
        }
        Ok(Node::Repeat(Box::new(node), least, most))
    }

    /// `{2}`, `{2,}`, `{2,3}`; nothing if it is text.
    fn counts(&mut self) -> Result<Option<(u32, u32)>> {
        let Some(length) = self.chars[self.at..].iter().position(|&c| c == '}') else { return Ok(None) };
        let inner: String = self.chars[self.at + 1..self.at + length].iter().collect();
        let (least, most) = inner.split_once(',').unwrap_or((&inner, &inner));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(least) || !(is_number(most) || most.is_empty() && inner.ends_with(',')) {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|&n| n <= MAX_REPEAT);
        let counts = match (number(least), if most.is_empty() { Some(MANY) } else { number(most) }) {
            (Some(least), Some(most)) if least <= most => (least, most),
            _ => {
                return Err(
                    self.error(&format!("{{{inner}}} is no repetition; up to {MAX_REPEAT} in order is allowed"))
                );
            }
        };
        self.at += length + 1;
        Ok(Some(counts))
    }

    fn class(&mut self) -> Result<Chars> {
        let negated = self.eat("^");
        let mut set = Chars::default();
        loop {
            let first = self.class_item()?;
            let Some(first) = first else { break };
            let range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|&c| c != ']');
            if !range {
                set = set.or(&first);
                continue;
            }
            self.at += 1;
            let last = self.class_item()?.unwrap_or_default();
            match (first.0.as_slice(), last.0.as_slice()) {
                (&[(a, a2)], &[(b, b2)]) if a == a2 && b == b2 && a <= b => set = set.or(&Chars::of(&[(a, b)])),
                _ => return Err(self.error("a range in [ ] is out of order")),
            }
        }
        Ok(if negated { set.not() } else { set })
    }

    /// A character of a class, or a class in it; nothing at its end.
    fn class_item(&mut self) -> Result<Option<Chars>> {
        let Some(c) = self.peek() else { return Err(self.error("'[' is not closed")) };
        self.at += 1;
        Ok(match c {
            ']' => None,
            '\\' => Some(self.escape(true)?),
            c => Some(Chars::one(c)),
        })
    }

    fn escape(&mut self, in_class: bool) -> Result<Chars> {
        let Some(c) = self.peek() else { return Err(self.error("it ends in a backslash")) };
        self.at += 1;
        let one = |code: u32| Ok(Chars::of(&[(code, code)]));
        match c {
            'd' => Ok(digits()),
            'D' => Ok(digits().not()),
            'w' => Ok(word()),
            'W' => Ok(word().not()),
            's' => Ok(space()),
            'S' => Ok(space().not()),
            'n' => one(10),
            'r' => one(13),
            't' => one(9),
            'f' => one(12),
            'v' => one(11),
            'b' if in_class => one(8),
            '0' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => one(0),
            'x' => one(self.hex(2)?),
            'u' if self.eat("{") => {
                let length = self.chars[self.at..].iter().position(|&c| c == '}').unwrap_or(0);
                let code = self.hex(length)?;
                self.at += 1;
                one(code)
            }
            'u' => {
                let code = self.hex(4)?;
                if (0xd800..0xdc00).contains(&code) && self.eat("\\u") {
                    let low = self.hex(4)?;
                    return one(0x1_0000 + ((code - 0xd800) << 10) + low.wrapping_sub(0xdc00) % 0x400);
                }
                one(code)
            }
            'c' => match self.peek() {
                Some(c) if c.is_ascii_alphabetic() => {
                    self.at += 1;
                    one(u32::from(c) % 32)
                }
                _ => Err(self.error("\\c wants a letter")),
            },
            'b' | 'B' => Err(self.error("word boundaries are not supported")),
            'p' | 'P' => Err(self.error("\\p is not supported; write the ranges of characters")),
            'k' | '1'..='9' => Err(self.error("back-references are not supported")),
            c if c.is_ascii_alphanumeric() => Err(self.error(&format!("\\{c} is not supported"))),
            c => Ok(Chars::one(c)),
        }
    }

    fn hex(&mut self, n: usize) -> Result<u32> {
        let text: String = self.chars.iter().skip(self.at).take(n).collect();
        match u32::from_str_radix(&text, 16) {
            Ok(code) if code <= 0x10_ffff && text.len() == n && !text.starts_with('+') => {
                self.at += n;
                Ok(code)
            }
            _ => Err(self.error("hexadecimal digits are missing, or the number is no character")),
        }
    }
}

fn digits() -> Chars {
    Chars::of(&[(0x30, 0x39)])
}

fn word() -> Chars {
    Chars::of(&[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)])
}

fn line_ends() -> Chars {
    Chars::of(&[(10, 10), (13, 13), (0x2028, 0x2029)])
}

/// WhiteSpace and LineTerminator of ECMA-262.
fn space() -> Chars {
    let spaces = [(9, 13), (0x20, 0x20), (0xa0, 0xa0), (0x1680, 0x1680), (0x2000, 0x200a), (0x202f, 0x202f)];
    Chars::of(&spaces).or(&Chars::of(&[(0x205f, 0x205f), (0x3000, 0x3000), (0xfeff, 0xfeff)])).or(&line_ends())
}
