//! From the text of a pattern to a [`Pattern`].

use std::iter::Peekable;
use std::str::Chars;

use super::charset::CharSet;
use super::pattern::{Alternatives, Node, Pattern};

impl Pattern {
    /// `None` where the pattern uses what this engine does not have.
    pub fn parse(source: &str) -> Option<Pattern> {
        let mut parser = Parser { rest: source.chars().peekable(), ignore_case: false };
        let alternatives = parser.alternatives()?;
        // A `)` too many is the one thing that is left over.
        parser.rest.next().is_none().then_some(Pattern { alternatives })
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    ignore_case: bool,
}

impl Parser<'_> {
    fn eat(&mut self, c: char) -> bool {
        self.rest.next_if_eq(&c).is_some()
    }

    fn alternatives(&mut self) -> Option<Alternatives> {
        let mut alternatives = vec![Vec::new()];
        while let Some(&c) = self.rest.peek() {
            match c {
                ')' => break,
                '|' => {
                    self.rest.next();
                    alternatives.push(Vec::new());
                }
                _ => alternatives.last_mut()?.push(self.node()?),
            }
        }
        Some(alternatives)
    }

    fn node(&mut self) -> Option<Node> {
        match self.rest.next()? {
            '(' => self.group(),
            '$' => Some(Node::End),
            '[' => {
                let set = self.class()?.finish();
                self.repeated(set)
            }
            c => {
                let mut set = CharSet::default();
                self.member(&mut set, c, false)?;
                self.repeated(set.finish())
            }
        }
    }

    fn repeated(&mut self, set: CharSet) -> Option<Node> {
        let (min, max) = self.quantifier()?;
        Some(Node::Chars { set, min, max })
    }

    /// What follows `(`: `?:…)`, `?i:…)`, `?=…)` or `?!…)`.
    fn group(&mut self) -> Option<Node> {
        if !self.eat('?') {
            return None;
        }
        let kind = self.rest.next()?;
        if kind == 'i' {
            self.ignore_case = self.rest.next()? == ':';
        }
        let alternatives = self.alternatives()?;
        self.ignore_case = false;
        if !self.eat(')') {
            return None;
        }
        match kind {
            '=' | '!' => Some(Node::Look { alternatives, wanted: kind == '=' }),
            _ => {
                let (min, max) = self.quantifier()?;
                Some(Node::Group { alternatives, min, max })
            }
        }
    }

    /// `?`, `*`, `+`, `{n}`, `{m,n}` or nothing.
    fn quantifier(&mut self) -> Option<(u32, u32)> {
        let bounds = match self.rest.peek() {
            Some('?') => (0, 1),
            Some('*') => (0, u32::MAX),
            Some('+') => (1, u32::MAX),
            Some('{') => {
                self.rest.next();
                let min = self.number()?;
                let max = if self.eat(',') { self.number()? } else { min };
                (min, max)
            }
            _ => return Some((1, 1)),
        };
        self.rest.next();
        Some(bounds)
    }

    fn number(&mut self) -> Option<u32> {
        let mut value = self.rest.next()?.to_digit(10)?;
        while let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(10)) {
            self.rest.next();
            value = value * 10 + digit;
        }
        Some(value)
    }

    /// What follows `[`, to the `]`.
    fn class(&mut self) -> Option<CharSet> {
        let mut set = CharSet::default();
        if self.eat('^') {
            set.negate();
        }
        loop {
            match self.rest.next()? {
                ']' => return Some(set),
                '&' if self.eat('&') => {
                    if !self.eat('[') {
                        return None;
                    }
                    set.intersect(self.class()?);
                }
                c => self.member(&mut set, c, true)?,
            }
        }
    }

    /// One character, escape, property or (in a class) range, whose first character is `c`.
    fn member(&mut self, set: &mut CharSet, c: char, in_class: bool) -> Option<()> {
        let first = match c {
            '\\' => match self.rest.next()? {
                'r' => '\r',
                'n' => '\n',
                't' => '\t',
                's' => {
                    set.add_whitespace();
                    return Some(());
                }
                'S' if !in_class => {
                    set.add_whitespace();
                    set.negate();
                    return Some(());
                }
                'p' => {
                    let name: String = self.rest.by_ref().skip(1).take_while(|&c| c != '}').collect();
                    return set.add_property(&name);
                }
                escaped if escaped.is_ascii_alphanumeric() => return None,
                escaped => escaped,
            },
            c => c,
        };
        let mut ahead = self.rest.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) if in_class && !matches!(last, ']' | '\\' | '[') => {
                self.rest = ahead;
                last
            }
            _ => first,
        };
        set.add(first, last);
        if self.ignore_case {
            set.add(first.to_ascii_uppercase(), last.to_ascii_uppercase());
            if first == 's' {
                // The long s is the one other character whose simple case folding is an ASCII letter that
                // the patterns have (CaseFolding.txt).
                set.add('ſ', 'ſ');
            }
        }
        Some(())
    }
}
