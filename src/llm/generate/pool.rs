//! The sequences of a model: each text keeps its own while there is memory. The one that was used least recently goes
//! to a text that has none; what it held is computed again when its text goes on.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::llm::{Model, Sequence};

/// The number of a text: a chat's, or 0 for calls that belong to none.
pub type TextId = u32;

/// Sequences at most: each holds thousands of recorded commands beside its cache.
const MOST: usize = 16;

/// The texts of a model and their sequences.
pub struct Pool {
    /// The least recently used first, each with its text, if it has one.
    sequences: RefCell<Vec<(Option<TextId>, Rc<Sequence>)>>,
    /// The ids of each text: its last prompt and what was generated after it. Its sequence holds some of the first.
    ids: RefCell<HashMap<TextId, Vec<u32>>>,
    /// Sequences that there may be.
    limit: Cell<usize>,
}

impl Pool {
    /// A pool of one sequence so far. `budget` bytes are for the model and all its sequences; without one, further
    /// sequences may take as much as the model.
    pub fn new(model: &Model, first: Sequence, budget: Option<u64>) -> Self {
        let bytes = &model.need.bytes;
        let room = budget.unwrap_or(bytes.total().saturating_mul(2)).saturating_sub(bytes.total());
        let more = usize::try_from(room / bytes.sequence).unwrap_or(MOST);
        Pool {
            sequences: RefCell::new(vec![(None, Rc::new(first))]),
            ids: RefCell::default(),
            limit: Cell::new(more.saturating_add(1).min(MOST)),
        }
    }

    /// Sequences on the GPU.
    pub fn n_sequences(&self) -> usize {
        self.sequences.borrow().len()
    }

    /// The ids of a text, empty if there is no such text.
    pub fn ids(&self, text: TextId) -> Vec<u32> {
        self.ids.borrow().get(&text).cloned().unwrap_or_default()
    }

    pub fn set_ids(&self, text: TextId, ids: Vec<u32>) {
        self.ids.borrow_mut().insert(text, ids);
    }

    /// The sequence of a text: its own, or else one that holds nothing.
    ///
    /// # Errors
    /// As [`Sequence::new`], unless there is another sequence to use.
    pub async fn sequence(&self, model: &Model, text: TextId) -> Result<Rc<Sequence>> {
        let own = self.remove(|owner| owner == Some(text)).or_else(|| self.remove(|owner| owner.is_none()));
        let sequence = match own {
            Some(sequence) => sequence,
            None => match self.another(model).await? {
                Some(new) => Rc::new(new),
                None => {
                    let (_, oldest) = self.sequences.borrow_mut().remove(0);
                    oldest.rewind(&model.gpu, 0);
                    oldest
                }
            },
        };
        self.sequences.borrow_mut().push((Some(text), sequence.clone()));
        Ok(sequence)
    }

    /// One more sequence, if there is memory for it.
    async fn another(&self, model: &Model) -> Result<Option<Sequence>> {
        let n = self.n_sequences();
        if n >= self.limit.get() {
            return Ok(None);
        }
        match Sequence::new(model).await {
            // There is less memory than it seemed.
            Err(Error::OutOfGpuMemory(_)) => {
                self.limit.set(n);
                Ok(None)
            }
            made => made.map(Some),
        }
    }

    fn remove(&self, which: impl Fn(Option<TextId>) -> bool) -> Option<Rc<Sequence>> {
        let mut sequences = self.sequences.borrow_mut();
        let place = sequences.iter().position(|(owner, _)| which(*owner))?;
        Some(sequences.remove(place).1)
    }

    /// A text that begins as another is now.
    pub fn fork(&self, from: TextId, to: TextId) {
        self.set_ids(to, self.ids(from));
    }

    /// Forget a text. Its sequence is free for others.
    pub fn forget(&self, model: &Model, text: TextId) {
        self.ids.borrow_mut().remove(&text);
        if let Some(sequence) = self.remove(|owner| owner == Some(text)) {
            sequence.rewind(&model.gpu, 0);
            self.sequences.borrow_mut().push((None, sequence));
        }
    }
}
