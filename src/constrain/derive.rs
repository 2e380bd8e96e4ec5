//! What may follow: Brzozowski derivatives (Derivatives of Regular Expressions, 1964; Owens et al., 2009). The derivative of
//! a term by a byte stands for what may come after that byte. Recursion needs nothing more: a rule is derived as its body is,
//! and what is left to be written is the stack.

use std::collections::HashMap;

use super::by_id::ById;
use super::term::{EMPTY, Id, MANY, NOTHING, RuleId, Term, Terms};

/// Of a step that is not known yet.
const UNKNOWN: Id = Id(u32::MAX);

/// Rules and optional parts that may be entered without a byte in between. Deeper ones would overflow the stack.
const MAX_DEPTH: u32 = 500;

/// Terms that are looked at to see whether an intersection has a text, all together.
const MAX_SEARCH: usize = 1 << 19;

/// What is known of terms so far.
#[derive(Debug, Default)]
pub struct Facts {
    /// By term: the derivative by a byte of each class.
    steps: Vec<Option<Box<[Id]>>>,
    ends: ById<bool>,
    /// Of an `And`: whether it has a text.
    alive: ById<bool>,
    n_searched: usize,
    depth: u32,
    /// What went beyond a limit.
    pub failure: Option<String>,
}

impl Facts {
    pub fn forget_steps(&mut self) {
        self.steps.clear();
    }
}

impl Terms {
    /// Whether the text may end here: the empty text is one of the term's.
    pub fn ends(&mut self, id: Id) -> bool {
        match self.get(id) {
            Term::Nothing | Term::Byte(_) => return false,
            Term::Empty | Term::Repeat(_, 0, _) => return true,
            _ => {}
        }
        if let Some(&ends) = self.facts.ends.get(id) {
            return ends;
        }
        if !self.descend() {
            return false;
        }
        // A rule in itself adds nothing to what ends.
        self.facts.ends.insert(id, false);
        let ends = match self.get(id).clone() {
            Term::Nothing | Term::Byte(_) => false,
            Term::Empty => true,
            Term::Cat(a, b) | Term::And(a, b) => self.ends(a) && self.ends(b),
            Term::Alt(parts) => parts.iter().any(|&part| self.ends(part)),
            Term::Repeat(a, ..) => self.ends(a),
            Term::Not(a) => !self.ends(a),
            Term::Rule(r) => self.body(r).is_some_and(|body| self.ends(body)),
        };
        self.facts.depth -= 1;
        self.facts.ends.insert(id, ends);
        ends
    }

    pub(super) fn forget_ends(&mut self) {
        self.facts.ends = ById::default();
    }

    pub(super) fn assume_ends(&mut self, rule: RuleId) {
        let rule = self.rule_term(rule);
        self.facts.ends.insert(rule, true);
    }

    /// Whether there is room to go deeper.
    fn descend(&mut self) -> bool {
        if self.facts.depth >= MAX_DEPTH {
            self.facts.failure.get_or_insert_with(|| {
                format!(
                    "the response format enters more than {MAX_DEPTH} rules or optional parts at one place; simplify it"
                )
            });
            return false;
        }
        self.facts.depth += 1;
        true
    }

    /// What may follow a byte; [`NOTHING`] where it is not allowed.
    pub fn step(&mut self, id: Id, byte: u8) -> Id {
        let class = usize::from(self.class(byte));
        if let Some(Some(row)) = self.facts.steps.get(id.0 as usize)
            && row[class] != UNKNOWN
        {
            return row[class];
        }
        if !self.descend() {
            return NOTHING;
        }
        let next = self.derive(id, byte);
        self.facts.depth -= 1;
        // Deriving makes no new sets of bytes, so the classes are what they were.
        let (n_terms, n_classes) = (self.len(), self.classes().len());
        let steps = &mut self.facts.steps;
        if steps.len() < n_terms {
            steps.resize(n_terms, None);
        }
        steps[id.0 as usize].get_or_insert_with(|| vec![UNKNOWN; n_classes].into())[class] = next;
        next
    }

    fn derive(&mut self, id: Id, byte: u8) -> Id {
        match self.get(id).clone() {
            Term::Nothing | Term::Empty => NOTHING,
            Term::Byte(set) => {
                if set.has(byte) {
                    EMPTY
                } else {
                    NOTHING
                }
            }
            Term::Cat(a, b) => {
                let first = self.step(a, byte);
                let first = self.cat(first, b);
                if !self.ends(a) {
                    return first;
                }
                let second = self.step(b, byte);
                self.alt(&[first, second])
            }
            Term::Alt(parts) => {
                let next: Vec<Id> = parts.iter().map(|&part| self.step(part, byte)).collect();
                self.alt(&next)
            }
            Term::Repeat(a, least, most) => {
                let first = self.step(a, byte);
                if first == NOTHING {
                    return NOTHING;
                }
                let most = if most == MANY { MANY } else { most - 1 };
                let rest = self.repeat(a, least.saturating_sub(1), most);
                self.cat(first, rest)
            }
            Term::And(..) => {
                let next = self.step_and(id, byte);
                if self.has_text(next) { next } else { NOTHING }
            }
            Term::Not(a) => {
                let next = self.step(a, byte);
                self.not(next)
            }
            Term::Rule(r) => match self.body(r) {
                Some(body) => self.step(body, byte),
                None => NOTHING,
            },
        }
    }

    /// The derivative of an `And`, which may have no text.
    fn step_and(&mut self, id: Id, byte: u8) -> Id {
        match *self.get(id) {
            Term::And(a, b) => {
                let a = self.step(a, byte);
                if a == NOTHING {
                    return NOTHING;
                }
                let b = self.step(b, byte);
                self.raw_and(a, b)
            }
            _ => self.step(id, byte),
        }
    }

    /// What is in both.
    pub fn and(&mut self, a: Id, b: Id) -> Id {
        let both = self.raw_and(a, b);
        if self.has_text(both) { both } else { NOTHING }
    }

    pub fn and_not(&mut self, a: Id, b: Id) -> Id {
        let not = self.not(b);
        self.and(a, not)
    }

    /// Whether a term has any text: one that is no `And` has, since terms without are never made part of others.
    fn has_text(&mut self, id: Id) -> bool {
        if id == NOTHING || !matches!(self.get(id), Term::And(..)) {
            return id != NOTHING;
        }
        // Where a search came from.
        let mut from: HashMap<Id, Id> = HashMap::from([(id, id)]);
        let mut open = vec![id];
        while let Some(at) = open.pop() {
            let known =
                if matches!(self.get(at), Term::And(..)) { self.facts.alive.get(at).copied() } else { Some(true) };
            if known == Some(true) || self.ends(at) {
                let mut at = at;
                self.facts.alive.insert(at, true);
                while at != id {
                    at = from[&at];
                    self.facts.alive.insert(at, true);
                }
                return true;
            }
            if known == Some(false) {
                continue;
            }
            self.facts.n_searched += 1;
            if self.facts.n_searched > MAX_SEARCH {
                let message =
                    "the response format combines patterns, lengths or names that are too large together; simplify it";
                self.facts.failure.get_or_insert_with(|| message.to_owned());
                return true;
            }
            for byte in self.classes().to_vec() {
                let next = self.step_and(at, byte);
                if next != NOTHING && !from.contains_key(&next) {
                    from.insert(next, at);
                    open.push(next);
                }
            }
        }
        from.into_keys().for_each(|id| {
            self.facts.alive.insert(id, false);
        });
        false
    }

    /// Whether a text is one of the term's.
    pub fn accepts(&mut self, id: Id, text: &[u8]) -> bool {
        let end = text.iter().fold(id, |at, &byte| self.step(at, byte));
        self.ends(end)
    }
}
