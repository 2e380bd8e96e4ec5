//! The end of a step: from logits to the next token, on the GPU.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::tuning::MAX_SEARCH_WORKGROUPS;
use super::{BatchBuffers, Recorder, Tensor, n_groups};
use crate::error::Result;
use crate::gpu::{Allocate, Binding, Buffer, Extent, Gpu, Grid, Kernel, Usage};

wgsl_exports!("sample");

/// The sampler's state and its scratch.
pub struct Sampler {
    /// [`SamplerState`]
    pub state: Rc<Buffer>,
    /// The ids that the repeat penalty looks back on: a ring of [`N_RECENT`].
    pub recent: Rc<Buffer>,
    best: Rc<Buffer>,
    drawn: Rc<Buffer>,
    masses: Rc<Buffer>,
    candidates: Rc<Buffer>,
    histogram: Rc<Buffer>,
}

impl Sampler {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate) -> Result<Self> {
        let buffer = |label, bytes| from.buffer(label, bytes, Usage::Storage);
        let words = |label, n: u32| buffer(label, u64::from(n) * 4);
        let logits = |label, n: u32| buffer(label, u64::from(n) * size_of::<Best>() as u64);
        let n_workgroups = MAX_SEARCH_WORKGROUPS;
        Ok(Sampler {
            state: buffer("sampler", size_of::<SamplerState>() as u64)?,
            recent: words("recent", N_RECENT)?,
            best: logits("sample_best", n_workgroups)?,
            drawn: logits("sample_drawn", n_workgroups)?,
            masses: words("sample_masses", n_workgroups)?,
            candidates: logits("sample_candidates", MAX_SORTED)?,
            // The bins' counts and the number of candidates.
            histogram: words("sample_histogram", N_BINS + 1)?,
        })
    }

    /// Begin at `state`, where `recent`, [`N_RECENT`] at most, are the ids that the repeat penalty looks back on.
    pub fn set(&self, gpu: &Gpu, state: SamplerState, recent: &[u32]) {
        gpu.write(&self.state, 0, &[state]);
        gpu.write(&self.recent, 0, recent);
    }

    /// What ends a step: the bindings of `shared/advance`.
    fn advancing<'b>(&'b self, batch: &'b BatchBuffers) -> [Binding<'b>; 4] {
        let (recent, state) = (("recent", &self.recent), ("state", &self.state));
        [recent, state, ("batch", &batch.place), ("tokens", &batch.tokens)]
    }
}

impl Recorder<'_> {
    /// Penalise the recent ids in `logits (n_vocab)`.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn repeat_penalty(&mut self, s: &Sampler, logits: &Tensor) -> Result<()> {
        let bindings = [("logits", &logits.buffer), ("recent", &s.recent), ("state", &s.state)];
        self.dispatch("repeat_penalty", &Kernel::new("sample/repeat_penalty"), &bindings, Grid::x(1))
    }

    /// Run a kernel whose workgroups share the logits.
    fn search(&mut self, name: &'static str, bindings: &[Binding<'_>], logits: &Tensor) -> Result<()> {
        let n_workgroups = self.tuning.search_workgroups;
        let kernel = Kernel::new(name).set("N_VOCAB", logits.width).set("N_WORKGROUPS", n_workgroups);
        self.dispatch(name, &kernel, bindings, Grid::x(n_workgroups))
    }

    /// Run a kernel that puts together what the workgroups of [`Recorder::search`] found.
    fn conclude(&mut self, name: &'static str, bindings: &[Binding<'_>]) -> Result<()> {
        let kernel = Kernel::new(name).set("N_WORKGROUPS", self.tuning.search_workgroups);
        self.dispatch(name, &kernel, bindings, Grid::x(1))
    }

    /// The id of the largest of `logits (n_vocab)` becomes the next token, and the step ends.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn sample_greedy(&mut self, s: &Sampler, logits: &Tensor) -> Result<()> {
        let best = ("best", &s.best);
        let [recent, state, batch, tokens] = s.advancing(self.batch);
        self.search("sample/argmax", &[("logits", &logits.buffer), best], logits)?;
        self.conclude("sample/greedy", &[best, recent, state, batch, tokens])
    }

    /// An id drawn from `logits (n_vocab)` by the state's temperature and filters becomes the next token, and
    /// the step ends.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn sample(&mut self, s: &Sampler, logits: &Tensor) -> Result<()> {
        let [recent, state, batch, tokens] = s.advancing(self.batch);
        let (values, best) = (("logits", &logits.buffer), ("best", &s.best));
        let (histogram, candidates) = (("histogram", &s.histogram), ("candidates", &s.candidates));
        let (drawn, masses) = (("drawn", &s.drawn), ("masses", &s.masses));
        self.search("sample/argmax", &[values, best], logits)?;
        self.search("sample/histogram", &[values, best, histogram], logits)?;
        self.search("sample/select", &[values, best, histogram, candidates, drawn, masses, state], logits)?;
        self.conclude("sample/draw", &[candidates, drawn, histogram, masses, recent, state, batch, tokens])
    }

    /// `x[0] = x[T - 1]`: what follows works on one row.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn last_row(&mut self, x: &Tensor) -> Result<()> {
        let groups = n_groups(x.width);
        let kernel = Kernel::new("sample/last_row").set("K16", groups);
        let bindings = [("x", &x.buffer), ("batch", &self.batch.place)];
        self.dispatch("last_row", &kernel, &bindings, Grid::xy((groups * 4).div_ceil(ELEMENT_WG), Extent::Fixed(1)))
    }
}
