//! Variables by name. A loop's round, a macro's call and other blocks have a scope of their own in the one around them.

use std::cell::RefCell;
use std::rc::Rc;

use super::value::Value;

#[derive(Debug, Default)]
pub struct Scope {
    variables: RefCell<Vec<(Rc<str>, Value)>>,
    outer: Option<Rc<Scope>>,
}

impl Scope {
    pub fn root() -> Rc<Scope> {
        Rc::default()
    }

    pub fn inner(self: &Rc<Scope>) -> Rc<Scope> {
        Rc::new(Scope { variables: RefCell::default(), outer: Some(self.clone()) })
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

    /// Forgets the variables: a macro among them holds the scope that holds it.
    pub fn clear(&self) {
        let variables = self.variables.take();
        drop(variables);
    }
}
