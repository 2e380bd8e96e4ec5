//! The end of a step: from logits to the next token, on the GPU.

use std::rc::Rc;

use super::{Recorder, Tensor, n_groups};
use crate::error::Result;
use crate::gpu::{Buffer, Extent, Gpu, Grid, Kernel, Usage};

/// Workgroups that search the logits.
const N_WORKGROUPS: u32 = 64;

/// Scratch of the sampling kernels.
pub struct Sampler {
    best: Rc<Buffer>,
}

impl Sampler {
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu) -> Result<Self> {
        Ok(Sampler { best: gpu.buffer("sample", u64::from(N_WORKGROUPS) * 8, Usage::Storage)? })
    }
}

impl Recorder<'_> {
    /// The id of the largest of `logits (n_vocab)` becomes the next token, and the step ends.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn sample_greedy(&mut self, sampler: &Sampler, logits: &Tensor) -> Result<()> {
        let kernel = Kernel::new("argmax").set("N_VOCAB", logits.width).set("N_WORKGROUPS", N_WORKGROUPS);
        let bindings = [("logits", &*logits.buffer), ("best", &*sampler.best)];
        self.dispatch("argmax", &kernel, &bindings, Grid::x(N_WORKGROUPS))?;
        let kernel = Kernel::new("sample_greedy").set("N_WORKGROUPS", N_WORKGROUPS);
        let bindings =
            [("best", &*sampler.best), ("tokens", &*self.step.tokens), ("state", &*self.step.state)];
        self.dispatch("sample_greedy", &kernel, &bindings, Grid::x(1))
    }

    /// `x[0] = x[T - 1]`: what follows works on one row.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn last_row(&mut self, x: &Tensor) -> Result<()> {
        let groups = n_groups(x.width);
        let kernel = Kernel::new("last_row").set("K16", groups);
        let bindings = [("x", &*x.buffer), ("state", &*self.step.state)];
        self.dispatch("last_row", &kernel, &bindings, Grid::xy((groups * 4).div_ceil(64), Extent::Fixed(1)))
    }
}
