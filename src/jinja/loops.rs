//! A loop under way, and what the variable `loop` says about it. Items come one by one, as the condition of a loop may depend
//! on what its rounds did before.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::Result;
use super::ast::For;
use super::eval::Interpreter;
use super::scope::Scope;
use super::value::{Iter, List, Range, Value};

#[derive(Debug)]
pub struct Loop {
    pub(super) node: Rc<For>,
    /// Around the loop.
    pub(super) outer: Rc<Scope>,
    source: RefCell<Source>,
    /// Asked for before their time.
    ahead: RefCell<VecDeque<Value>>,
    rounds: Cell<usize>,
    previous: RefCell<Value>,
    current: RefCell<Value>,
    last_changed: RefCell<Option<Vec<Value>>>,
    /// Of a recursive loop, from 0.
    pub(super) depth: usize,
}

#[derive(Debug)]
enum Source {
    Items(std::vec::IntoIter<Value>),
    /// A list and how far it is read.
    List(Rc<List>, usize),
    Range(Range, usize),
    Iter(Rc<Iter>),
}

impl Loop {
    pub fn new(node: Rc<For>, items: Value, outer: Rc<Scope>, depth: usize, it: &Interpreter) -> Result<Loop> {
        let source = match items {
            Value::Iter(iter) => Source::Iter(iter),
            Value::List(list) | Value::Tuple(list) => Source::List(list, 0),
            Value::Range(range) => Source::Range(range, 0),
            other => Source::Items(super::ops::items(&other, it.budget)?.into_iter()),
        };
        Ok(Loop {
            node,
            outer,
            source: RefCell::new(source),
            ahead: RefCell::default(),
            rounds: Cell::new(0),
            previous: RefCell::default(),
            current: RefCell::default(),
            last_changed: RefCell::default(),
            depth,
        })
    }

    /// The next item that meets the condition, from the source.
    fn pull(&self, it: &Interpreter) -> Result<Option<Value>> {
        loop {
            it.budget.steps(1)?;
            let item = match &mut *self.source.borrow_mut() {
                Source::Items(items) => items.next(),
                Source::List(list, at) => {
                    *at += 1;
                    list.items.get(*at - 1).cloned()
                }
                Source::Range(range, at) => {
                    *at += 1;
                    (*at <= range.len()).then(|| range.get(*at - 1))
                }
                Source::Iter(iter) => iter.next()?,
            };
            let (Some(item), Some(condition)) = (&item, &self.node.condition) else { return Ok(item) };
            let scope = self.outer.inner();
            it.assign(&self.node.target, item.clone(), &scope)?;
            if it.truth(condition, &scope)? {
                return Ok(Some(item.clone()));
            }
        }
    }

    /// Begins the next round.
    pub fn next(&self, it: &Interpreter) -> Result<Option<Value>> {
        let ahead = self.ahead.borrow_mut().pop_front();
        let item = match ahead {
            Some(item) => Some(item),
            None => self.pull(it)?,
        };
        if let Some(item) = &item {
            self.rounds.set(self.rounds.get() + 1);
            self.previous.replace(self.current.replace(item.clone()));
        }
        Ok(item)
    }

    fn peek(&self, it: &Interpreter) -> Result<Option<Value>> {
        if self.ahead.borrow().is_empty()
            && let Some(item) = self.pull(it)?
        {
            self.ahead.borrow_mut().push_back(item);
        }
        Ok(self.ahead.borrow().front().cloned())
    }

    fn len(&self, it: &Interpreter) -> Result<usize> {
        while let Some(item) = self.pull(it)? {
            self.ahead.borrow_mut().push_back(item);
        }
        Ok(self.rounds.get() + self.ahead.borrow().len())
    }

    /// An attribute of the variable `loop`.
    pub fn get(self: &Rc<Self>, name: &str, it: &Interpreter) -> Result<Option<Value>> {
        let index0 = self.rounds.get().saturating_sub(1);
        Ok(Some(match name {
            "index" => (index0 + 1).into(),
            "index0" => index0.into(),
            "revindex" => (self.len(it)? - index0).into(),
            "revindex0" => (self.len(it)? - index0 - 1).into(),
            "length" => self.len(it)?.into(),
            "first" => (index0 == 0).into(),
            "last" => self.peek(it)?.is_none().into(),
            "previtem" => self.previous.borrow().clone(),
            "nextitem" => self.peek(it)?.unwrap_or_default(),
            "depth" => (self.depth + 1).into(),
            "depth0" => self.depth.into(),
            "cycle" => it.method(Value::Loop(self.clone()), "cycle"),
            "changed" => it.method(Value::Loop(self.clone()), "changed"),
            _ => return Ok(None),
        }))
    }

    pub fn cycle(&self, mut values: Vec<Value>) -> Option<Value> {
        let n = values.len();
        (n > 0).then(|| values.swap_remove(self.rounds.get().saturating_sub(1) % n))
    }

    /// Whether the values are others than at the call before.
    pub fn changed(&self, values: Vec<Value>, it: &Interpreter) -> Result<bool> {
        let mut last = self.last_changed.borrow_mut();
        if let Some(last) = &*last
            && last.len() == values.len()
        {
            let mut same = true;
            for (a, b) in last.iter().zip(&values) {
                same = same && super::ops::equal(a, b, it.budget)?;
            }
            if same {
                return Ok(false);
            }
        }
        *last = Some(values);
        Ok(true)
    }
}
