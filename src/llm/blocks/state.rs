//! What blocks keep of a sequence, and how it is cut back.
//!
//! Steps are submitted ahead of what is known, and a chat is edited or retried: a sequence then goes on from an
//! earlier position. The rings of attention and of short convolutions still hold what that position looks back on, or
//! don't: arithmetic. A recurrent state is one value for all positions so far: it goes back to a copy that was made earlier, and the positions since
//! are run again.

use std::rc::Rc;

use super::super::weights::Sizes;
use crate::error::Result;
use crate::gpu::{Allocate, Buffer, Usage};
use crate::ops::{ColumnRing, KvCache};

/// Copies of a recurrent state: of the beginning of a turn, and the two latest.
pub const N_CHECKPOINTS: usize = 3;

/// What a block keeps of a sequence.
pub enum State {
    /// Nothing: each position stands by itself.
    None,
    /// Keys and values of the last positions; attention looks back `window` positions, or to the start.
    Ring { cache: KvCache, window: Option<u32> },
    /// Inputs of a convolution over the last `window` positions.
    Columns { ring: ColumnRing, window: u32 },
    /// A value for all positions so far.
    Running(Running),
}

/// A recurrent state with room for its checkpoints.
pub struct Running {
    pub buffer: Rc<Buffer>,
    pub checkpoints: [Rc<Buffer>; N_CHECKPOINTS],
}

impl Running {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, label: &str, bytes: u64) -> Result<Self> {
        let buffer = || from.buffer(label, bytes, Usage::Storage);
        Ok(Running { buffer: buffer()?, checkpoints: [buffer()?, buffer()?, buffer()?] })
    }
}

impl State {
    /// Bytes that one more position of context takes.
    #[must_use]
    pub fn bytes_per_position(&self) -> u64 {
        match self {
            State::Ring { cache, window: None } => (cache.k.bytes() + cache.v.bytes()) / u64::from(cache.capacity),
            _ => 0,
        }
    }

    /// Whether a block can go on from position `pos`, after `n_written` positions were written: not where the ring
    /// has lost what `pos` looks back on.
    #[must_use]
    pub fn ring_holds(&self, pos: u32, n_written: u32) -> bool {
        let (capacity, window) = match self {
            State::Ring { cache, window } => (cache.capacity, window.unwrap_or(u32::MAX)),
            State::Columns { ring, window } => (ring.capacity, *window),
            State::None | State::Running(_) => return true,
        };
        let oldest_held = n_written.saturating_sub(capacity);
        let oldest_needed = (pos + 1).saturating_sub(window);
        oldest_held <= oldest_needed
    }
}

/// Positions that a ring keeps for a block that looks back `window` positions, or to the start.
pub fn ring_capacity(window: Option<u32>, sizes: Sizes) -> u32 {
    // A batch is put into the ring before it is looked back on, so the ring holds a window and a batch.
    sizes.n_ctx.min(window.unwrap_or(sizes.n_ctx).saturating_add(sizes.n_batch))
}
