//! Values of terms, by their numbers, which are dense.

use super::term::Id;

#[derive(Debug)]
pub struct ById<T>(Vec<Option<T>>);

impl<T> Default for ById<T> {
    fn default() -> Self {
        ById(Vec::new())
    }
}

impl<T> ById<T> {
    #[must_use]
    pub fn get(&self, id: Id) -> Option<&T> {
        self.0.get(id.0 as usize)?.as_ref()
    }

    pub fn insert(&mut self, id: Id, value: T) {
        let at = id.0 as usize;
        if self.0.len() <= at {
            self.0.resize_with(at + 1, || None);
        }
        self.0[at] = Some(value);
    }
}
