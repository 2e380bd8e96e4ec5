//! A block for tests: the sum of the residual stream over all positions, a recurrent state that can't be cut back.
//! Batches are of one token.

use super::super::weights::Builder;
use super::{Block, Running, State};
use crate::error::{Result, bail};
use crate::gpu::Allocate;
use crate::ops::{Input, Recorder, Tensor, n_groups};

/// `s += x`, then `x += SCALE * s`.
pub struct RunningSum {
    n_embd: u32,
}

const SCALE: f32 = 1e-2;

impl RunningSum {
    pub fn new(b: &Builder<'_>) -> Self {
        RunningSum { n_embd: b.c.n_embd }
    }
}

impl Block for RunningSum {
    fn state(&self, from: &dyn Allocate) -> Result<State> {
        Ok(State::Running(Running::new(from, "running_sum", u64::from(n_groups(self.n_embd)) * 64)?))
    }

    fn record(&self, r: &mut Recorder<'_>, x: &Tensor, state: &State) -> Result<()> {
        let State::Running(state) = state else { bail!(Internal, "a running sum has no state") };
        let sum = Tensor { buffer: state.buffer.clone(), width: self.n_embd };
        r.add_input("running_sum", Input::Plain(x), &sum, 1.0)?;
        r.add_input("running_sum_out", Input::Plain(&sum), x, SCALE)
    }
}
