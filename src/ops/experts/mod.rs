//! A mixture of experts (arXiv:1701.06538): every token goes through the few experts that its router scores highest. Which
//! they are stays on the GPU.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::{Input, Matrix, Op, Part, Recorder, Source, Tensor, Vector, n_groups};
use crate::error::{Result, bail};
use crate::gpu::{Allocate, Binding, Buffer, Grid, Kernel, Usage};

wgsl_exports!("experts");

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

/// Where each token of a batch goes: `(T, n_used)` of [`Route`].
pub struct Routes {
    buffer: Rc<Buffer>,
    pub n_used: u32,
}

impl Routes {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, max_tokens: u32, n_used: u32) -> Result<Self> {
        let bytes = u64::from(max_tokens) * u64::from(n_used) * size_of::<Route>() as u64;
        Ok(Routes { buffer: from.buffer("routes", bytes, Usage::Storage)?, n_used })
    }

    /// [`Route`]s.
    #[must_use]
    pub fn buffer(&self) -> &Rc<Buffer> {
        &self.buffer
    }
}

/// What an expert's probability is, and by what experts are chosen.
#[derive(Clone, Copy)]
pub enum Gate<'a> {
    /// The softmax of all logits; the most probable.
    Softmax,
    /// The sigmoid of the logit; the largest sums with a bias `(E)`.
    Sigmoid { bias: &'a Vector },
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
    /// Choose each token's experts: `logits (T, E)` become probabilities, and `routes` gets those of the chosen, made to
    /// sum to 1.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn expert_route(&mut self, logits: &Tensor, gate: Gate<'_>, routes: &Routes) -> Result<()> {
        self.observed(&Op::ExpertRoute { probs: logits, gate, routes }, |r| r.expert_choice(logits, gate, routes))
    }

    fn expert_choice(&mut self, logits: &Tensor, gate: Gate<'_>, routes: &Routes) -> Result<()> {
        let mut bindings = vec![("probs", &logits.buffer), ("routes", &routes.buffer)];
        let slot = match gate {
            Gate::Softmax => "softmax",
            Gate::Sigmoid { bias } => {
                bindings.push(("choice_bias", &bias.buffer));
                "sigmoid"
            }
        };
        let kernel = Kernel::new("experts/route")
            .slot("GATE", slot)
            .set("N_EXPERT", logits.width)
            .set("N_USED", routes.n_used)
            .set("STRIDE", logits.stride())
            .set("WG", 64);
        let grid = Grid { x: self.per_rows(1), ..Grid::x(1) };
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
        self.observed(&Op::ExpertMatmul { name, input, w, routes, output }, |r| {
            r.expert_matmul_parts(name, (input, x_rows), w, routes, (y, slot))
        })
    }

    fn expert_matmul_parts(
        &mut self,
        name: &str,
        (input, x_rows): (Input<'_>, u32),
        w: &ExpertMatrix,
        routes: &Routes,
        (y, slot): (&Tensor, &'static str),
    ) -> Result<()> {
        let source = input.source(false);
        for part in &w.matrix.parts {
            let kernel =
                Kernel::new("experts/matmul").slot("SOURCE", source.slot()).slot("OUTPUT", slot).set("X_ROWS", x_rows);
            let kernel = input.set(kernel);
            let (kernel, mut bindings, grid) = self.expert_part(kernel, w, part, routes, y, source);
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
        self.observed(&Op::ExpertSum { name, x, w, routes, y }, |r| {
            w.matrix.parts.iter().try_for_each(|part| {
                let kernel = Kernel::new("experts/sum").set("RESIDUAL_SCALE", scale);
                let (kernel, mut bindings, grid) = r.expert_part(kernel, w, part, routes, y, Source::Plain);
                bindings.push(("x", &x.buffer));
                r.dispatch(name, &kernel, &bindings, grid)
            })
        })
    }

    /// `y (T, N) += scale * sigmoid(gate) * x (T, N)`, `gate (T, 1)`: what an expert of all tokens adds.
    ///
    /// # Errors
    /// `Internal` where shapes do not fit: a defect in the forward pass.
    pub fn add_gated(&mut self, name: &str, x: &Tensor, gate: &Tensor, y: &Tensor, scale: f32) -> Result<()> {
        if x.width != y.width || gate.width != 1 {
            bail!(Internal, "{name}: x ({}), gate ({}) -> y ({})", x.width, gate.width, y.width);
        }
        self.observed(&Op::AddGated { y }, |r| {
            let kernel = Kernel::new("experts/add_gated").set("RESIDUAL_SCALE", scale);
            let kernel = kernel.set("STRIDE", gate.stride()).set("Y_STRIDE4", y.stride() / 4);
            let bindings = [("x", &x.buffer), ("gate", &gate.buffer), ("y", &y.buffer)];
            let grid = Grid::xy((y.stride() / 4).div_ceil(ELEMENT_WG), r.per_rows(1));
            r.dispatch(name, &kernel, &bindings, grid)
        })
    }

    /// What both kernels take of a part of the weights.
    fn expert_part<'b>(
        &self,
        kernel: Kernel,
        w: &ExpertMatrix,
        part: &'b Part,
        routes: &'b Routes,
        y: &'b Tensor,
        source: Source,
    ) -> (Kernel, Vec<Binding<'b>>, Grid) {
        let (n, groups) = (w.rows(), n_groups(w.matrix.cols));
        let tuning = self.tuning.matmul_vec(n, groups, true, source);
        let kernel = kernel
            .slot("WEIGHT", part.layout.weight)
            .slot("ROWS", "2")
            .set("WG", tuning.workgroup)
            .set("LANES", tuning.lanes)
            .set("K16", groups)
            .set("N", n)
            // An expert's rows are in one part.
            .set("ROW0", 0)
            .set("Y_STRIDE", y.stride())
            .set("N_USED", routes.n_used)
            .set("N_EXPERT", part.rows.len() as u32 / n)
            .set("EXPERT0", part.rows.start / n);
        let mut bindings: Vec<Binding<'b>> = vec![("w_qs", &part.qs), ("y", &y.buffer), ("routes", &routes.buffer)];
        if let Some(sc) = &part.sc {
            bindings.push(("w_sc", sc));
        }
        let rows_per_workgroup = tuning.workgroup / tuning.lanes * 2;
        (kernel, bindings, Grid::xy(n.div_ceil(rows_per_workgroup), self.per_rows(1)))
    }
}
