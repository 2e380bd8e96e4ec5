//! A mixture of experts (arXiv:1701.06538): every token goes through the few experts that its router scores highest. Which
//! they are stays on the GPU.

use std::rc::Rc;

use super::{Input, Matrix, Part, Phase, Read, Recorder, Tensor, n_groups};
use crate::error::{Result, bail};
use crate::gpu::{Binding, Buffer, Gpu, Grid, Kernel, Usage};

/// The matrices of all experts, one below the other: `w (E, N, K)`. No expert is cut in two by the matrix's parts.
pub struct ExpertMatrix {
    pub matrix: Rc<Matrix>,
    pub n_expert: u32,
}

impl ExpertMatrix {
    /// Rows of one expert, N.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.matrix.rows / self.n_expert
    }
}

/// Where each token of a batch goes: `(T, n_used)` experts and their weights.
pub struct Routes {
    pub(super) buffer: Rc<Buffer>,
    pub n_used: u32,
}

impl Routes {
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, max_tokens: u32, n_used: u32) -> Result<Self> {
        let bytes = u64::from(max_tokens) * u64::from(n_used) * 8;
        Ok(Routes { buffer: gpu.buffer("routes", bytes, Usage::Storage)?, n_used })
    }
}

/// What becomes of the products `v (T, n_used, N)`.
#[derive(Clone, Copy)]
pub enum ExpertOutput<'a> {
    /// `y = v`
    Store(&'a Tensor),
    /// `y[i] = silu(v[2i]) * v[2i + 1]`: the rows of gate and up alternate in the weights.
    Swiglu(&'a Tensor),
}

impl Recorder<'_> {
    /// Choose each token's experts: `logits (T, E)` become probabilities, the largest of which `routes` gets, made to
    /// sum to 1.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn expert_route(&mut self, logits: &Tensor, routes: &Routes) -> Result<()> {
        let kernel = Kernel::new("expert_route")
            .set("N_EXPERT", logits.width)
            .set("N_USED", routes.n_used)
            .set("STRIDE", logits.stride())
            .set("WG", 64)
            .set("SUBGROUP", self.tuning.subgroup);
        let bindings = [("probs", &logits.buffer), ("routes", &routes.buffer)];
        let grid = Grid { x: self.per_tokens(1), ..Grid::x(1) };
        self.dispatch("ffn_moe_topk", &kernel, &bindings, grid)
    }

    /// `y (T, n_used, N) = output(w_e . input(x))` for each token's experts e, `x (T, x_rows, K)` with a row a token or one
    /// for each of its experts.
    ///
    /// # Errors
    /// `Internal` where shapes do not fit: a defect in the forward pass.
    pub fn expert_matmul(
        &mut self,
        name: &str,
        (input, x_rows): (Input<'_>, u32),
        w: &ExpertMatrix,
        routes: &Routes,
        output: ExpertOutput<'_>,
    ) -> Result<()> {
        let (y, slot, width) = match output {
            ExpertOutput::Store(y) => (y, "store", w.rows()),
            ExpertOutput::Swiglu(y) => (y, "swiglu", w.rows() / 2),
        };
        if input.width() != w.matrix.cols || width != y.width || ![1, routes.n_used].contains(&x_rows) {
            bail!(
                Internal,
                "{name}: x ({x_rows}, {}) . w ({}, {}) -> y ({})",
                input.width(),
                w.rows(),
                w.matrix.cols,
                y.width
            );
        }
        let normed;
        let input = match (self.phase, input) {
            (Phase::Prefill, Input::RmsNorm { .. }) => {
                normed = self.apply_input(name, input)?;
                Input::Plain(&normed)
            }
            _ => input,
        };
        let read = input.read(false);
        for part in &w.matrix.parts {
            let kernel = Kernel::new("expert_matmul")
                .slot("EXPERT_INPUT", input.slot())
                .slot("READ", read.slot())
                .slot("EXPERT_OUTPUT", slot)
                .set("X_ROWS", x_rows);
            let kernel = input.set(kernel);
            let (kernel, mut bindings, grid) = self.expert_part(kernel, w, part, routes, y, read);
            input.bind(&mut bindings);
            self.dispatch(name, &kernel, &bindings, Grid { z: routes.n_used, ..grid })?;
        }
        Ok(())
    }

    /// `y (T, N) += scale * sum_e weight_e (w_e . x_e)` over each token's experts e, `x (T, n_used, K)`.
    ///
    /// # Errors
    /// `Internal` where shapes do not fit: a defect in the forward pass.
    pub fn expert_sum(
        &mut self,
        name: &str,
        x: &Tensor,
        w: &ExpertMatrix,
        routes: &Routes,
        y: &Tensor,
        scale: f32,
    ) -> Result<()> {
        if x.width != w.matrix.cols || y.width != w.rows() {
            bail!(Internal, "{name}: x ({}) . w ({}, {}) -> y ({})", x.width, w.rows(), w.matrix.cols, y.width);
        }
        for part in &w.matrix.parts {
            let kernel = Kernel::new("expert_sum").must_set("RESIDUAL_SCALE", scale);
            let (kernel, mut bindings, grid) = self.expert_part(kernel, w, part, routes, y, Read::Direct);
            bindings.push(("x", &x.buffer));
            self.dispatch(name, &kernel, &bindings, grid)?;
        }
        Ok(())
    }

    /// What both kernels take of a part of the weights.
    fn expert_part<'b>(
        &self,
        kernel: Kernel,
        w: &ExpertMatrix,
        part: &'b Part,
        routes: &'b Routes,
        y: &'b Tensor,
        read: Read,
    ) -> (Kernel, Vec<Binding<'b>>, Grid) {
        let (n, groups) = (w.rows(), n_groups(w.matrix.cols));
        let tuning = self.tuning.matmul_vec(n, groups, true, read);
        let kernel = kernel
            .slot("WEIGHT", part.layout.weight)
            .slot("ROWS", "2")
            .set("WG", tuning.workgroup)
            .set("LANES", tuning.lanes)
            .set("SUBGROUP", self.tuning.subgroup)
            .set("K16", groups)
            .set("N", n)
            .set("Y_STRIDE", y.stride())
            .set("N_USED", routes.n_used)
            .set("N_EXPERT", part.rows.len() as u32 / n)
            .set("EXPERT0", part.rows.start / n);
        let mut bindings: Vec<Binding<'b>> = vec![("w_qs", &part.qs), ("y", &y.buffer), ("routes", &routes.buffer)];
        if let Some(sc) = &part.sc {
            bindings.push(("w_sc", sc));
        }
        let rows_per_workgroup = tuning.workgroup / tuning.lanes * 2;
        (kernel, bindings, Grid::xy(n.div_ceil(rows_per_workgroup), self.per_tokens(1)))
    }
}
