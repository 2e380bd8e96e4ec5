//! What a template may take. It is part of a file from anywhere, and must neither hang the page nor fill its memory.

use std::cell::Cell;

use super::{Result, fault};

/// Steps: a conversation of a thousand messages takes some hundred thousand.
const MAX_STEPS: u64 = 10_000_000;

/// Bytes of one string, and of the prompt.
pub(super) const MAX_TEXT_BYTES: usize = 16 << 20;

/// Bytes of all the strings and lists that a rendering makes.
const MAX_BYTES: u64 = 192 << 20;

/// Levels of values in values.
pub(super) const MAX_DEPTH: u32 = 160;

/// Levels of expressions, blocks and calls in each other.
const MAX_LEVELS: u32 = 200;

/// Bytes that a string, a variable, a macro or a namespace takes beside its contents, about.
pub(super) const OVERHEAD: usize = 96;

/// What was taken.
#[derive(Debug, Default)]
pub struct Budget {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    depth: Cell<u32>,
}

impl Budget {
    pub fn steps(&self, n: usize) -> Result<()> {
        let steps = self.steps.get().saturating_add(n as u64);
        self.steps.set(steps);
        if steps > MAX_STEPS {
            fault!("the template ran out of fuel: it takes more than {MAX_STEPS} steps");
        }
        Ok(())
    }

    pub fn bytes(&self, n: usize) -> Result<()> {
        let bytes = self.bytes.get().saturating_add(n as u64);
        self.bytes.set(bytes);
        if bytes > MAX_BYTES {
            fault!("the template makes more than {} MB of values", MAX_BYTES >> 20);
        }
        self.steps(n / 64)
    }

    /// Room for `n` items of a list.
    pub fn items(&self, n: usize) -> Result<()> {
        self.bytes(n.saturating_mul(size_of::<super::Value>()))
    }

    /// Goes one level down, until the guard is dropped.
    pub fn enter(&self) -> Result<Level<'_>> {
        let depth = self.depth.get();
        if depth >= MAX_LEVELS {
            fault!("the template nests deeper than {MAX_LEVELS} levels");
        }
        self.depth.set(depth + 1);
        Ok(Level(&self.depth))
    }
}

pub struct Level<'a>(&'a Cell<u32>);

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
