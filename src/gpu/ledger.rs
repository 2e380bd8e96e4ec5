//! The buffers that something needs, listed before there is a device: what is counted is what is allocated.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Allocate, Buffer, Gpu, Usage};
use crate::error::Result;

/// A list of buffers. They take no memory until [`Ledger::allocate`].
pub struct Ledger {
    buffers: RefCell<Vec<Rc<Buffer>>>,
    max_binding_bytes: u64,
}

impl Ledger {
    /// An empty list, for a device that binds buffers of up to `max_binding_bytes`.
    #[must_use]
    pub fn new(max_binding_bytes: u64) -> Self {
        Ledger { buffers: RefCell::default(), max_binding_bytes }
    }

    /// The buffers so far, in the order in which they were asked for.
    #[must_use]
    pub fn buffers(&self) -> Vec<Rc<Buffer>> {
        self.buffers.borrow().clone()
    }

    /// Bytes of all buffers.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.buffers.borrow().iter().fold(0, |sum, b| sum.saturating_add(b.bytes()))
    }

    /// Bytes of the largest buffer; 0 in an empty list.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.buffers.borrow().iter().map(|b| b.bytes()).max().unwrap_or(0)
    }

    /// Give all buffers their memory.
    pub fn allocate(&self, gpu: &Gpu) {
        for buffer in &*self.buffers.borrow() {
            buffer.raw(gpu);
        }
    }
}

impl Allocate for Ledger {
    /// Any size goes into the list; [`Ledger::largest`] shows whether a device can bind it.
    fn buffer(&self, label: &str, bytes: u64, usage: Usage) -> Result<Rc<Buffer>> {
        let buffer = Rc::new(Buffer::new(label, bytes, usage));
        self.buffers.borrow_mut().push(buffer.clone());
        Ok(buffer)
    }

    fn max_binding_bytes(&self) -> u64 {
        self.max_binding_bytes
    }
}
