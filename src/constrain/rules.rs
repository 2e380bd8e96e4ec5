//! What is looked at once all rules are there: rules that no text ends, and rules that begin with themselves.

use super::by_id::ById;
use super::term::{Id, NOTHING, RuleId, Term, Terms};
use crate::error::{Result, bail};

impl Terms {
    /// Make a term ready to be derived: what can't be ended is taken out of it and of all rules.
    ///
    /// # Errors
    /// `InvalidArgument` if a rule begins with itself, or if a limit is passed.
    pub fn finish(&mut self, root: Id) -> Result<Id> {
        let ending = self.ending_rules();
        let mut done = ById::default();
        for rule in 0..self.n_rules() {
            let body = self.body(rule).filter(|_| ending[rule as usize]).unwrap_or(NOTHING);
            let body = self.without_endless(body, &ending, &mut done);
            self.define_by_number(rule, body);
        }
        let root = self.without_endless(root, &ending, &mut done);
        self.facts.forget_steps();
        self.forget_ends();
        self.settle_ends();
        self.check_left_recursion()?;
        self.check()?;
        Ok(root)
    }

    /// Of each rule, whether it has a text.
    fn ending_rules(&self) -> Vec<bool> {
        let mut ending = vec![false; self.n_rules() as usize];
        loop {
            let mut known = ById::default();
            let now: Vec<bool> = (0..self.n_rules())
                .map(|r| ending[r as usize] || self.body(r).is_some_and(|body| self.has_end(body, &ending, &mut known)))
                .collect();
            if now == ending {
                return ending;
            }
            ending = now;
        }
    }

    fn has_end(&self, id: Id, ending: &[bool], known: &mut ById<bool>) -> bool {
        if let Some(&has) = known.get(id) {
            return has;
        }
        let has = match self.get(id) {
            Term::Nothing => false,
            Term::Empty | Term::Byte(_) | Term::And(..) | Term::Not(_) | Term::Repeat(_, 0, _) => true,
            &Term::Cat(mut a, mut rest) => loop {
                // A long text is a long chain.
                if !self.has_end(a, ending, known) {
                    break false;
                }
                match *self.get(rest) {
                    Term::Cat(next, after) => (a, rest) = (next, after),
                    _ => break self.has_end(rest, ending, known),
                }
            },
            Term::Alt(parts) => parts.iter().any(|&part| self.has_end(part, ending, known)),
            &Term::Repeat(a, ..) => self.has_end(a, ending, known),
            &Term::Rule(r) => ending[r as usize],
        };
        known.insert(id, has);
        has
    }

    /// The term without rules that have no text.
    fn without_endless(&mut self, id: Id, ending: &[bool], done: &mut ById<Id>) -> Id {
        if let Some(&to) = done.get(id) {
            return to;
        }
        let to = match self.get(id).clone() {
            Term::Nothing | Term::Empty | Term::Byte(_) | Term::And(..) | Term::Not(_) => id,
            Term::Cat(a, b) => {
                let (mut parts, mut rest) = (vec![a], b);
                while let Term::Cat(a, b) = *self.get(rest) {
                    parts.push(a);
                    rest = b;
                }
                parts.push(rest);
                let parts: Vec<Id> = parts.into_iter().map(|part| self.without_endless(part, ending, done)).collect();
                self.seq(&parts)
            }
            Term::Alt(parts) => {
                let parts: Vec<Id> = parts.iter().map(|&part| self.without_endless(part, ending, done)).collect();
                self.alt(&parts)
            }
            Term::Repeat(a, least, most) => {
                let a = self.without_endless(a, ending, done);
                self.repeat(a, least, most)
            }
            Term::Rule(r) => {
                if ending[r as usize] {
                    id
                } else {
                    NOTHING
                }
            }
        };
        done.insert(id, to);
        to
    }

    /// Find which rules may be empty. One that stands in itself may be empty only by another way.
    fn settle_ends(&mut self) {
        loop {
            let before: Vec<bool> = (0..self.n_rules()).map(|r| self.rule_ends(r)).collect();
            self.forget_ends();
            for (rule, &ends) in (0..).zip(&before) {
                if ends {
                    self.assume_ends(rule);
                }
            }
            let after: Vec<bool> = (0..self.n_rules()).map(|r| self.rule_ends(r)).collect();
            if before == after {
                return;
            }
        }
    }

    fn rule_ends(&mut self, rule: RuleId) -> bool {
        self.body(rule).is_some_and(|body| self.ends(body))
    }

    fn check_left_recursion(&mut self) -> Result<()> {
        let n = self.n_rules() as usize;
        let mut first: Vec<Vec<RuleId>> = Vec::with_capacity(n);
        for rule in 0..self.n_rules() {
            let mut rules = Vec::new();
            let mut seen = std::collections::HashSet::new();
            let mut open: Vec<Id> = self.body(rule).into_iter().collect();
            while let Some(id) = open.pop() {
                if !seen.insert(id) {
                    continue;
                }
                match self.get(id).clone() {
                    Term::Cat(a, b) => {
                        open.push(a);
                        if self.ends(a) {
                            open.push(b);
                        }
                    }
                    Term::Alt(parts) => open.extend_from_slice(&parts),
                    Term::Repeat(a, ..) => open.push(a),
                    Term::Rule(r) => rules.push(r),
                    _ => {}
                }
            }
            first.push(rules);
        }
        // Take away, again and again, rules that begin with none of those left.
        let mut left = vec![true; n];
        loop {
            let gone: Vec<usize> = (0..n).filter(|&r| left[r] && first[r].iter().all(|&f| !left[f as usize])).collect();
            if gone.is_empty() {
                break;
            }
            gone.into_iter().for_each(|r| left[r] = false);
        }
        match (0..n).find(|&start| {
            let mut seen = vec![false; n];
            let mut open: Vec<RuleId> = first[start].clone();
            while let Some(r) = open.pop() {
                if left[r as usize] && !std::mem::replace(&mut seen[r as usize], true) {
                    open.extend_from_slice(&first[r as usize]);
                }
            }
            seen[start]
        }) {
            None => Ok(()),
            Some(rule) => {
                let name = self.rule_name(rule as RuleId);
                bail!(InvalidArgument, "{name} begins with itself (left recursion), which is not supported");
            }
        }
    }
}
