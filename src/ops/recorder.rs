//! The recorder: what ops write their dispatches to.

use std::rc::Rc;

use super::{Observer, Tuning};
use crate::error::Result;
use crate::gpu::{Allocate, Binding, Buffer, Extent, Gpu, Grid, Kernel, Label, Plan, Usage};

wgsl_exports!("recorder");

/// The batch that plans run on: in decode one token, which the sampler leaves here.
#[derive(Clone)]
pub struct BatchBuffers {
    /// [`Batch`]
    pub place: Rc<Buffer>,
    /// The tokens' ids, `(T)`.
    pub tokens: Rc<Buffer>,
}

impl BatchBuffers {
    /// Buffers for batches of up to `max_tokens`.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, max_tokens: u32) -> Result<Self> {
        Ok(BatchBuffers {
            place: from.buffer("batch", size_of::<Batch>() as u64, Usage::Storage)?,
            tokens: from.buffer("tokens", u64::from(max_tokens) * 4, Usage::Storage)?,
        })
    }

    /// The next batch is of these tokens, from position `pos` on.
    pub fn set(&self, gpu: &Gpu, pos: u32, tokens: &[u32]) {
        gpu.write(&self.tokens, 0, tokens);
        self.set_place(gpu, pos, tokens.len() as u32);
    }

    /// The next batch is of the ids that are there, `n_tokens` of them.
    pub fn set_place(&self, gpu: &Gpu, pos: u32, n_tokens: u32) {
        gpu.write(&self.place, 0, &[Batch { pos, n_rows: n_tokens }]);
    }
}

/// What a plan is for. The forward pass is the same; ops choose other kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A batch of tokens, T up to the batch size.
    Prefill,
    /// One token, T = 1; `far` where attention over the positions before it is split.
    Decode { far: bool },
}

/// Records a forward pass as a plan.
pub struct Recorder<'a> {
    pub gpu: &'a Gpu,
    pub batch: &'a BatchBuffers,
    pub phase: Phase,
    pub(super) tuning: Tuning,
    pub(super) observer: Option<&'a mut dyn Observer>,
    pub plan: Plan,
    layer: Option<u32>,
}

impl<'a> Recorder<'a> {
    #[must_use]
    pub fn new(gpu: &'a Gpu, batch: &'a BatchBuffers, phase: Phase) -> Self {
        let tuning = Tuning::of(&gpu.caps);
        Recorder { gpu, batch, phase, tuning, observer: None, plan: Plan::default(), layer: None }
    }

    /// The same with another division of work.
    #[must_use]
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Recorder { tuning, ..self }
    }

    /// A recorder whose ops report to `observer`.
    #[must_use]
    pub fn observed_by(gpu: &'a Gpu, batch: &'a BatchBuffers, phase: Phase, observer: &'a mut dyn Observer) -> Self {
        Recorder { observer: Some(observer), ..Self::new(gpu, batch, phase) }
    }

    /// What is recorded from here on belongs to this layer, or to none.
    pub fn set_layer(&mut self, layer: Option<u32>) {
        self.layer = layer;
    }

    /// The layer of what is recorded now.
    #[must_use]
    pub fn layer(&self) -> Option<u32> {
        self.layer
    }

    /// Workgroups for the batch's tokens, this many to each.
    #[must_use]
    pub fn per_rows(&self, rows: u32) -> Extent {
        match self.phase {
            Phase::Prefill => Extent::PerRows(rows),
            Phase::Decode { .. } => Extent::Fixed(1),
        }
    }

    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn dispatch(&mut self, name: &str, kernel: &Kernel, bindings: &[Binding<'_>], grid: Grid) -> Result<()> {
        let layer = self.layer.map_or_else(String::new, |l| format!("L{l:02}"));
        self.plan.dispatch(self.gpu, Label { group: &layer, name }, kernel, bindings, grid)
    }
}
