//! The form that every kind of constraint becomes: terms, each of which stands for a language of bytes. They are interned,
//! so that equal terms have one number, and built in a normal form, so that few terms stand for one language.

use std::collections::HashMap;

use super::bytes::ByteSet;
use crate::error::{Result, bail};
use crate::order::sort;

/// The number of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// The number of a rule: a term by name, which may stand in itself.
pub type RuleId = u32;

/// A repetition without an upper limit.
pub const MANY: u32 = u32::MAX;

/// Terms that there may be. A constraint that needs more is an error; a string of 10,000 counted characters takes 20,000.
const MAX_TERMS: usize = 1 << 21;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// No text at all.
    Nothing,
    /// The empty text.
    Empty,
    Byte(ByteSet),
    /// One after the other. The first is no `Cat`.
    Cat(Id, Id),
    /// Sorted, two or more, none of them an `Alt`.
    Alt(Box<[Id]>),
    Repeat(Id, u32, u32),
    /// What is in both. Of rules, neither may have any.
    And(Id, Id),
    /// What is not in it: in an `And` alone.
    Not(Id),
    Rule(RuleId),
}

/// An arena of terms.
#[derive(Debug)]
pub struct Terms {
    terms: Vec<Term>,
    ids: HashMap<Term, Id>,
    /// A rule's term once it is known, and its name.
    rules: Vec<(Option<Id>, String)>,
    /// Bytes that no term tells apart have one class.
    class_of: [u8; 256],
    /// A byte of each class.
    class_bytes: Vec<u8>,
    pub(super) facts: super::derive::Facts,
}

pub const NOTHING: Id = Id(0);
pub const EMPTY: Id = Id(1);

impl Default for Terms {
    fn default() -> Terms {
        let mut terms = Terms {
            terms: Vec::new(),
            ids: HashMap::new(),
            rules: Vec::new(),
            class_of: [0; 256],
            class_bytes: vec![0],
            facts: super::derive::Facts::default(),
        };
        terms.intern(Term::Nothing);
        terms.intern(Term::Empty);
        terms
    }
}

impl Terms {
    fn intern(&mut self, term: Term) -> Id {
        if let Some(&id) = self.ids.get(&term) {
            return id;
        }
        let id = Id(self.terms.len() as u32);
        self.terms.push(term.clone());
        self.ids.insert(term, id);
        id
    }

    #[must_use]
    pub fn get(&self, id: Id) -> &Term {
        &self.terms[id.0 as usize]
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// # Errors
    /// `InvalidArgument` if there are more terms than may be.
    pub fn check(&self) -> Result<()> {
        if self.terms.len() > MAX_TERMS {
            bail!(InvalidArgument, "the response format needs more than {MAX_TERMS} states; simplify it");
        }
        match &self.facts.failure {
            Some(message) => bail!(InvalidArgument, "{message}"),
            None => Ok(()),
        }
    }

    /// One byte of a set.
    pub fn byte(&mut self, set: ByteSet) -> Id {
        if set.is_empty() {
            return NOTHING;
        }
        let n = self.terms.len();
        let id = self.intern(Term::Byte(set));
        if self.terms.len() > n {
            self.tell_apart(&set);
        }
        id
    }

    /// Classes of bytes such that each lies within the set or without.
    fn tell_apart(&mut self, set: &ByteSet) {
        // By the class and whether it is in the set.
        let mut halves = [[None; 2]; 256];
        let mut class_of = [0; 256];
        let mut class_bytes = Vec::new();
        for byte in 0..=255u8 {
            let class = *halves[usize::from(self.class_of[usize::from(byte)])][usize::from(set.has(byte))]
                .get_or_insert_with(|| {
                    class_bytes.push(byte);
                    (class_bytes.len() - 1) as u8
                });
            class_of[usize::from(byte)] = class;
        }
        if class_bytes.len() > self.class_bytes.len() {
            self.facts.forget_steps();
        } else {
            return;
        }
        (self.class_of, self.class_bytes) = (class_of, class_bytes);
    }

    #[must_use]
    pub fn class(&self, byte: u8) -> u8 {
        self.class_of[usize::from(byte)]
    }

    /// A byte of each class.
    #[must_use]
    pub fn classes(&self) -> &[u8] {
        &self.class_bytes
    }

    pub fn range(&mut self, first: u8, last: u8) -> Id {
        self.byte(ByteSet::range(first, last))
    }

    pub fn text(&mut self, text: &str) -> Id {
        self.literal(text.as_bytes())
    }

    pub fn literal(&mut self, bytes: &[u8]) -> Id {
        let bytes: Vec<Id> = bytes.iter().map(|&b| self.range(b, b)).collect();
        self.seq(&bytes)
    }

    pub fn seq(&mut self, parts: &[Id]) -> Id {
        parts.iter().rev().fold(EMPTY, |rest, &part| self.cat(part, rest))
    }

    pub fn cat(&mut self, first: Id, rest: Id) -> Id {
        match (first, rest) {
            (NOTHING, _) | (_, NOTHING) => NOTHING,
            (EMPTY, other) | (other, EMPTY) => other,
            _ => match *self.get(first) {
                Term::Cat(head, tail) => {
                    let rest = self.cat(tail, rest);
                    self.cat(head, rest)
                }
                _ => self.intern(Term::Cat(first, rest)),
            },
        }
    }

    pub fn alt(&mut self, of: &[Id]) -> Id {
        let mut parts = Vec::with_capacity(of.len());
        for &id in of {
            match self.get(id) {
                Term::Nothing => {}
                Term::Alt(inner) => parts.extend_from_slice(inner),
                _ => parts.push(id),
            }
        }
        sort(&mut parts, |a, b| a < b);
        parts.dedup();
        match parts.as_slice() {
            [] => NOTHING,
            [one] => *one,
            _ => {
                if let Some(set) = self.one_byte(&parts) {
                    return self.byte(set);
                }
                self.intern(Term::Alt(parts.into()))
            }
        }
    }

    /// The bytes that terms of one byte each make together.
    fn one_byte(&self, parts: &[Id]) -> Option<ByteSet> {
        parts.iter().try_fold(ByteSet::default(), |all, &id| match self.get(id) {
            Term::Byte(set) => Some(all.or(*set)),
            _ => None,
        })
    }

    pub fn opt(&mut self, id: Id) -> Id {
        self.alt(&[EMPTY, id])
    }

    /// `least` to `most` times; [`MANY`] is no limit.
    pub fn repeat(&mut self, id: Id, least: u32, most: u32) -> Id {
        match (id, least, most) {
            (_, least, most) if least > most => NOTHING,
            (_, _, 0) | (EMPTY, ..) | (NOTHING, 0, _) => EMPTY,
            (NOTHING, ..) => NOTHING,
            (id, 1, 1) => id,
            _ => match *self.get(id) {
                Term::Repeat(_, 0, MANY) => id,
                _ => self.intern(Term::Repeat(id, least, most)),
            },
        }
    }

    pub fn star(&mut self, id: Id) -> Id {
        self.repeat(id, 0, MANY)
    }

    /// Any bytes.
    pub fn any(&mut self) -> Id {
        let byte = self.range(0, 255);
        self.star(byte)
    }

    /// What is in both. See [`Terms::and`] for what is left of it where that is nothing.
    pub(super) fn raw_and(&mut self, a: Id, b: Id) -> Id {
        let any = self.any();
        match (a.min(b), a.max(b)) {
            (NOTHING, _) => NOTHING,
            (a, b) if a == b => a,
            (a, b) if a == any => b,
            (a, b) if b == any => a,
            (a, b) => self.intern(Term::And(a, b)),
        }
    }

    pub fn not(&mut self, id: Id) -> Id {
        let any = self.any();
        match self.get(id) {
            Term::Nothing => any,
            Term::Not(inner) => *inner,
            _ if id == any => NOTHING,
            _ => self.intern(Term::Not(id)),
        }
    }

    /// A new rule, to be defined later.
    pub fn rule(&mut self, name: String) -> Id {
        let id = self.rules.len() as RuleId;
        self.rules.push((None, name));
        self.intern(Term::Rule(id))
    }

    pub fn define(&mut self, rule: Id, body: Id) {
        if let Term::Rule(r) = *self.get(rule) {
            self.rules[r as usize].0 = Some(body);
        }
    }

    #[must_use]
    pub fn body(&self, rule: RuleId) -> Option<Id> {
        self.rules[rule as usize].0
    }

    #[must_use]
    pub fn rule_name(&self, rule: RuleId) -> &str {
        &self.rules[rule as usize].1
    }

    #[must_use]
    pub fn n_rules(&self) -> RuleId {
        self.rules.len() as RuleId
    }
}

impl Terms {
    pub(super) fn rule_term(&mut self, rule: RuleId) -> Id {
        self.intern(Term::Rule(rule))
    }

    pub(super) fn define_by_number(&mut self, rule: RuleId, body: Id) {
        self.rules[rule as usize].0 = Some(body);
    }
}
