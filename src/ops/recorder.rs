//! The recorder: what ops write their dispatches to.

use std::rc::Rc;

use super::{Tensor, Tuning};
use crate::error::Result;
use crate::gpu::{Binding, Buffer, Extent, Gpu, Grid, Kernel, N_RECENT, Plan, State, Usage};

/// What changes from step to step, on the GPU.
#[derive(Clone)]
pub struct StepBuffers {
    /// [`State`]
    pub state: Rc<Buffer>,
    /// The ids of the batch; in decode the first is the next token.
    pub tokens: Rc<Buffer>,
    /// The ids that the repeat penalty looks back on, a ring.
    pub recent: Rc<Buffer>,
}

impl StepBuffers {
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, max_tokens: u32) -> Result<Self> {
        Ok(StepBuffers {
            state: gpu.buffer_with("state", &[State::default()])?,
            tokens: gpu.buffer("tokens", u64::from(max_tokens) * 4, Usage::Storage)?,
            recent: gpu.buffer("recent", u64::from(N_RECENT) * 4, Usage::Storage)?,
        })
    }
}

/// What a plan is for. The forward pass is the same; ops choose other kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A batch of tokens, T up to the batch size.
    Prefill,
    /// One token, T = 1. Behind so many positions that attention is to be split, `far`.
    Decode { far: bool },
}

/// A named intermediate of a capture: some columns of a copy of a tensor's rows.
pub struct Tap {
    /// llama.cpp's node name, with the layer: `attn_norm-0`.
    pub name: String,
    pub copy: Rc<Buffer>,
    pub rows: u32,
    /// Elements from one row to the next.
    pub stride: u32,
    /// The columns: `offset + step * (0..width)`.
    pub offset: u32,
    pub step: u32,
    pub width: u32,
}

/// Records a forward pass as a plan. With `capture`, every named intermediate is copied out at its point of the
/// plan; intermediates inside fused kernels are computed again by the kernels' own parts.
pub struct Recorder<'a> {
    pub gpu: &'a Gpu,
    pub step: &'a StepBuffers,
    pub phase: Phase,
    pub(super) tuning: Tuning,
    /// Tokens of the batch that is captured; `None` records a plan to run.
    pub capture: Option<u32>,
    /// Positions of the cache after the batch that is captured.
    pub capture_positions: u32,
    pub plan: Plan,
    pub taps: Vec<Tap>,
    layer: Option<u32>,
    /// Scratch by purpose and width: for norms in prefill and in captures, for one of two products.
    scratch: Vec<(&'static str, Tensor)>,
    max_tokens: u32,
}

impl<'a> Recorder<'a> {
    #[must_use]
    pub fn new(gpu: &'a Gpu, step: &'a StepBuffers, phase: Phase, max_tokens: u32) -> Self {
        Recorder {
            gpu,
            step,
            phase,
            tuning: Tuning::of(&gpu.caps),
            capture: None,
            capture_positions: 0,
            plan: Plan::default(),
            taps: Vec::new(),
            layer: None,
            scratch: Vec::new(),
            max_tokens: if phase == Phase::Prefill { max_tokens } else { 1 },
        }
    }

    /// A recorder whose plan copies out every named intermediate of a batch of `n_tokens`, after which the cache
    /// holds `n_pos` positions.
    #[must_use]
    pub fn capturing(gpu: &'a Gpu, step: &'a StepBuffers, phase: Phase, n_tokens: u32, n_pos: u32) -> Self {
        Recorder { capture: Some(n_tokens), capture_positions: n_pos, ..Self::new(gpu, step, phase, n_tokens) }
    }

    /// What is recorded from here on belongs to this layer, or to none.
    pub fn set_layer(&mut self, layer: Option<u32>) {
        self.layer = layer;
    }

    /// `L07.attn_qkv`
    fn label(&self, name: &str) -> String {
        self.layer.map_or_else(|| name.to_owned(), |l| format!("L{l:02}.{name}"))
    }

    /// Workgroups for the batch's tokens, so many to each.
    #[must_use]
    pub fn per_tokens(&self, tokens: u32) -> Extent {
        match self.phase {
            Phase::Prefill => Extent::PerTokens(tokens),
            Phase::Decode { .. } => Extent::Fixed(1),
        }
    }

    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn dispatch(&mut self, name: &str, kernel: &Kernel, bindings: &[Binding<'_>], grid: Grid) -> Result<()> {
        let label = self.label(name);
        self.plan.dispatch(self.gpu, label, kernel, bindings, grid)
    }

    /// A tensor for the plan's own use; the same one for the same purpose and width every time.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn scratch(&mut self, purpose: &'static str, width: u32) -> Result<Tensor> {
        if let Some((_, t)) = self.scratch.iter().find(|(p, t)| *p == purpose && t.width == width) {
            return Ok(t.clone());
        }
        let tensor = Tensor::new(self.gpu, purpose, self.max_tokens, width)?;
        self.scratch.push((purpose, tensor.clone()));
        Ok(tensor)
    }

    /// In a capture, name the rows of a tensor as they are now; else do nothing.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn tap(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        self.tap_columns(tensor, &[(name, 0, 1, tensor.width)])
    }

    /// In a capture, name columns of a tensor as they are now: `(name, offset, step, width)` each.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn tap_columns(&mut self, tensor: &Tensor, columns: &[(&str, u32, u32, u32)]) -> Result<()> {
        let Some(rows) = self.capture else { return Ok(()) };
        self.tap_rows(&tensor.buffer, rows, tensor.stride(), columns)
    }

    /// Name columns of a buffer of `(rows, stride)`: `(name, offset, step, width)` each.
    pub(super) fn tap_rows(
        &mut self,
        buffer: &Rc<Buffer>,
        rows: u32,
        stride: u32,
        columns: &[(&str, u32, u32, u32)],
    ) -> Result<()> {
        let bytes = u64::from(rows) * u64::from(stride) * 4;
        let copy = self.gpu.buffer("capture", bytes, Usage::Storage)?;
        self.plan.copy(buffer.clone(), copy.clone(), bytes);
        for &(name, offset, step, width) in columns {
            let name = self.node_name(name);
            self.taps.push(Tap { name, copy: copy.clone(), rows, stride, offset, step, width });
        }
        Ok(())
    }

    /// Name a whole buffer of `(rows, width)` that nothing writes afterwards.
    pub(super) fn tap_buffer(&mut self, name: &str, buffer: Rc<Buffer>, rows: u32, width: u32) {
        let name = self.node_name(name);
        self.taps.push(Tap { name, copy: buffer, rows, stride: width, offset: 0, step: 1, width });
    }

    pub(super) fn node_name(&self, name: &str) -> String {
        self.layer.map_or_else(|| name.to_owned(), |l| format!("{name}-{l}"))
    }
}
