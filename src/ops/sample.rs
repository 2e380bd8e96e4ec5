//! The end of a step: from logits to the next token, on the GPU.

use std::rc::Rc;

use super::{Recorder, StepBuffers, Tensor, Tuning, n_groups};
use crate::error::Result;
use crate::gpu::{Binding, Buffer, Extent, Gpu, Grid, Kernel, MAX_SORTED, N_BINS, Usage};

/// Scratch of the sampling kernels; pairs of a logit and an id.
pub struct Sampler {
    best: Rc<Buffer>,
    drawn: Rc<Buffer>,
    masses: Rc<Buffer>,
    candidates: Rc<Buffer>,
    histogram: Rc<Buffer>,
}

impl Sampler {
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu) -> Result<Self> {
        let buffer = |label, words: u32| gpu.buffer(label, u64::from(words) * 4, Usage::Storage);
        let n_workgroups = Tuning::of(&gpu.caps).search_workgroups;
        Ok(Sampler {
            best: buffer("sample_best", n_workgroups * 2)?,
            drawn: buffer("sample_drawn", n_workgroups * 2)?,
            masses: buffer("sample_masses", n_workgroups)?,
            candidates: buffer("sample_candidates", MAX_SORTED * 2)?,
            // The bins' counts and the number of candidates.
            histogram: buffer("sample_histogram", N_BINS + 1)?,
        })
    }
}

impl Recorder<'_> {
    /// Penalise the recent ids in `logits (n_vocab)`.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn repeat_penalty(&mut self, logits: &Tensor) -> Result<()> {
        let bindings = [("logits", &logits.buffer), ("recent", &self.step.recent), ("state", &self.step.state)];
        self.dispatch("repeat_penalty", &Kernel::new("repeat_penalty"), &bindings, Grid::x(1))
    }

    fn sample_kernel(&mut self, name: &'static str, grid: u32, bindings: &[Binding<'_>], n_vocab: u32) -> Result<()> {
        let kernel = Kernel::new(name).set("N_VOCAB", n_vocab).set("N_WORKGROUPS", self.tuning.search_workgroups);
        self.dispatch(name, &kernel, bindings, Grid::x(grid))
    }

    /// The id of the largest of `logits (n_vocab)` becomes the next token, and the step ends.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn sample_greedy(&mut self, s: &Sampler, logits: &Tensor) -> Result<()> {
        let (n, n_workgroups) = (logits.width, self.tuning.search_workgroups);
        self.sample_kernel("argmax", n_workgroups, &[("logits", &logits.buffer), ("best", &s.best)], n)?;
        let step = self.step;
        let [recent, tokens, state] = advancing(step);
        self.sample_kernel("sample_greedy", 1, &[("best", &s.best), recent, tokens, state], n)
    }

    /// An id drawn from `logits (n_vocab)` by the state's temperature and filters becomes the next token, and
    /// the step ends.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn sample(&mut self, s: &Sampler, logits: &Tensor) -> Result<()> {
        let (n, n_workgroups) = (logits.width, self.tuning.search_workgroups);
        let step = self.step;
        let [recent, tokens, state] = advancing(step);
        let (logits, best) = (("logits", &logits.buffer), ("best", &s.best));
        let (histogram, candidates) = (("histogram", &s.histogram), ("candidates", &s.candidates));
        let (drawn, masses) = (("drawn", &s.drawn), ("masses", &s.masses));
        self.sample_kernel("argmax", n_workgroups, &[logits, best], n)?;
        self.sample_kernel("sample_histogram", n_workgroups, &[logits, best, histogram], n)?;
        let all = [logits, best, histogram, candidates, drawn, masses, state];
        self.sample_kernel("sample_select", n_workgroups, &all, n)?;
        let all = [candidates, drawn, histogram, masses, recent, tokens, state];
        self.sample_kernel("sample_draw", 1, &all, n)
    }

    /// `x[0] = x[T - 1]`: what follows works on one row.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn last_row(&mut self, x: &Tensor) -> Result<()> {
        let groups = n_groups(x.width);
        let kernel = Kernel::new("last_row").set("K16", groups);
        let bindings = [("x", &x.buffer), ("state", &self.step.state)];
        self.dispatch("last_row", &kernel, &bindings, Grid::xy((groups * 4).div_ceil(64), Extent::Fixed(1)))
    }
}

/// What ends a step: the bindings of `shared/advance`.
fn advancing(step: &StepBuffers) -> [Binding<'_>; 3] {
    [("recent", &step.recent), ("tokens", &step.tokens), ("state", &step.state)]
}
