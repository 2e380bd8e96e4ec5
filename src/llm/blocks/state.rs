//! What blocks keep of a sequence, and how it is cut back.
//!
//! Steps are submitted ahead of what is known, and a chat is edited or retried: a sequence then goes on from an
//! earlier position. Attention's rings still hold what that position looks back on, or don't: arithmetic. A recurrent
//! state is one value for all positions so far: it goes back to a copy that was made earlier, and the positions since
//! are run again.

use std::rc::Rc;

use crate::gpu::Buffer;
use crate::ops::KvCache;
#[cfg(feature = "test-block")]
use crate::{
    error::Result,
    gpu::{Allocate, Usage},
};

/// Copies of a recurrent state: of the beginning of a turn, and the two latest.
pub const N_CHECKPOINTS: usize = 3;

/// What a block keeps of a sequence.
pub enum State {
    /// Nothing: each position stands by itself.
    None,
    /// Keys and values of the last positions; attention looks back `window` positions, or to the start.
    Ring { cache: KvCache, window: Option<u32> },
    /// A value for all positions so far. No block of a model has one yet.
    #[cfg_attr(not(feature = "test-block"), allow(dead_code, reason = "made by a block for tests"))]
    Running(Running),
}

/// A recurrent state with room for its checkpoints.
pub struct Running {
    pub buffer: Rc<Buffer>,
    pub checkpoints: [Rc<Buffer>; N_CHECKPOINTS],
}

#[cfg(feature = "test-block")]
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

    /// Whether attention can go on from position `pos`, after `n_written` positions were written: not where the ring
    /// has lost what `pos` looks back on.
    #[must_use]
    pub fn ring_holds(&self, pos: u32, n_written: u32) -> bool {
        let State::Ring { cache, window } = self else { return true };
        let oldest_held = n_written.saturating_sub(cache.capacity);
        let oldest_needed = (pos + 1).saturating_sub(window.unwrap_or(u32::MAX));
        oldest_held <= oldest_needed
    }
}
