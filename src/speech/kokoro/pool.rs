//! Memory for activations: buffers that nothing holds any more serve what comes next.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::{Rc, Weak};

use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Usage};
use crate::ops::{Length, Series, Tensor, n_groups};

/// Buffers, each with whoever holds it.
#[derive(Default)]
pub struct Pool {
    slots: RefCell<Vec<(Rc<Buffer>, Weak<()>)>>,
}

/// Something in a buffer of the pool, until it is dropped. What is recorded until then runs before the buffer is written again.
pub struct Held<T> {
    value: T,
    _hold: Rc<()>,
}

impl<T> Held<T> {
    /// Something else in the same buffer.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Held<U> {
        Held { value: f(self.value), _hold: self._hold }
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Pool {
    /// Bytes of all buffers.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.slots.borrow().iter().map(|(buffer, _)| buffer.bytes()).sum()
    }

    /// A buffer of at least `bytes`.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn buffer(&self, gpu: &Gpu, bytes: u64) -> Result<Held<Rc<Buffer>>> {
        let mut slots = self.slots.borrow_mut();
        let hold = Rc::new(());
        let free = |(_, held): &&mut (Rc<Buffer>, Weak<()>)| held.strong_count() == 0;
        let fitting = slots.iter_mut().filter(free).filter(|(buffer, _)| buffer.bytes() >= bytes);
        let buffer = match fitting.min_by_key(|(buffer, _)| buffer.bytes()) {
            Some((buffer, held)) => {
                *held = Rc::downgrade(&hold);
                buffer.clone()
            }
            None => {
                // Sizes in steps of an eighth, so that a somewhat longer text finds room.
                let step = (bytes / 8).max(1).next_power_of_two();
                let rounded = bytes.next_multiple_of(step).min(gpu.caps.max_binding_bytes).max(bytes);
                let buffer = gpu.buffer("activations", rounded, Usage::Storage)?;
                let slot = (buffer.clone(), Rc::downgrade(&hold));
                // The largest that is too small makes room; plans that still use it keep it alive.
                match slots.iter_mut().filter(free).max_by_key(|(buffer, _)| buffer.bytes()) {
                    Some(small) => *small = slot,
                    None => slots.push(slot),
                }
                buffer
            }
        };
        Ok(Held { value: buffer, _hold: hold })
    }

    /// A series of `len` rows.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn series(&self, gpu: &Gpu, len: &Length, width: u32) -> Result<Held<Series>> {
        let buffer = self.buffer(gpu, u64::from(len.rows) * u64::from(n_groups(width)) * 64)?;
        Ok(buffer.map(|buffer| Series { rows: Tensor { buffer, width }, len: len.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_when_nothing_holds_them() {
        let gpu = pollster::block_on(Gpu::new()).unwrap();
        let pool = Pool::default();
        let same = |a: &Rc<Buffer>, b: &Rc<Buffer>| Rc::ptr_eq(a, b);
        let first = pool.buffer(&gpu, 1000).unwrap();
        let second = pool.buffer(&gpu, 100).unwrap();
        assert!(!same(&first, &second), "the first one is held");
        let buffer = first.clone();
        drop(first);
        let third = pool.buffer(&gpu, 900).unwrap();
        assert!(same(&third, &buffer));
        // Another value in the same buffer holds it as well.
        let mapped = third.map(|buffer| buffer.bytes());
        assert!(!same(&pool.buffer(&gpu, 900).unwrap(), &buffer) && *mapped >= 1000);
        drop((mapped, second));
        // A larger one takes the place of a smaller one.
        let before = pool.bytes();
        let large = pool.buffer(&gpu, 100_000).unwrap();
        assert!(large.bytes() >= 100_000 && pool.bytes() < before + large.bytes());
        assert!(pool.buffer(&gpu, u64::MAX / 2).is_err());
    }
}
