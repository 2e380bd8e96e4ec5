//! Variables by name. A loop's round, a macro's call and other blocks have a scope of their own in the one around them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::value::Value;

#[derive(Debug, Default)]
pub struct Scope {
    variables: RefCell<Vec<(Rc<str>, Value)>>,
    outer: Option<Rc<Scope>>,
    /// A macro holds the scope: it stays to the end of the rendering.
    is_kept: Cell<bool>,
}

impl Scope {
    pub fn root() -> Rc<Scope> {
        Rc::default()
    }

    pub fn inner(self: &Rc<Scope>) -> Rc<Scope> {
        Rc::new(Scope { outer: Some(self.clone()), ..Scope::default() })
    }

    pub fn set(&self, name: &str, value: Value) {
        let mut variables = self.variables.borrow_mut();
        match variables.iter_mut().find(|(other, _)| &**other == name) {
            Some((_, slot)) => *slot = value,
            None => variables.push((name.into(), value)),
        }
    }

    pub fn get(&self, name: &str) -> Option<Value> {
        let mut scope = Some(self);
        while let Some(at) = scope {
            if let Some((_, value)) = at.variables.borrow().iter().find(|(other, _)| &**other == name) {
                return Some(value.clone());
            }
            scope = at.outer.as_deref();
        }
        None
    }

    /// Keeps the scope for a macro, and gives the number of variables in it.
    pub fn keep(&self) -> usize {
        self.is_kept.set(true);
        self.variables.borrow().len()
    }

    pub fn is_kept(&self) -> bool {
        self.is_kept.get()
    }

    /// Forgets the variables: a macro among them holds the scope that holds it.
    pub fn clear(&self) {
        let variables = self.variables.take();
        drop(variables);
    }
}
