//! Matmul, with what comes before it (norms, the merge of attention's splits) and after it (bias, activation,
//! residual) in the same kernel where the phase allows.

pub mod reference;
#[cfg(test)]
mod tests;

use super::recorder::ELEMENT_WG;
use super::{Matrix, Op, Part, Phase, Recorder, Source, Tensor, VecTuning, Vector, n_groups};
use crate::error::{Result, bail};
use crate::gpu::{Binding, Caps, Extent, Grid, Kernel};

wgsl_exports!("matmul");

/// What is multiplied: `x (T, K)`, or a function of it.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    Plain(&'a Tensor),
    /// As `Plain`, where the op of decode that wrote x left its digits after it.
    Digits(&'a Tensor),
    RmsNorm {
        x: &'a Tensor,
        weight: &'a Vector,
        eps: f32,
    },
    LayerNorm {
        x: &'a Tensor,
        weight: &'a Vector,
        bias: &'a Vector,
        eps: f32,
    },
}

/// An activation function of a gated unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Silu,
    Gelu,
}

/// What becomes of the product `v (T, N)`.
#[derive(Clone, Copy)]
pub enum Output<'a> {
    /// `y = v + bias`
    Store { y: &'a Tensor, bias: Option<&'a Vector> },
    /// `y += scale * (v + bias)`
    Add { y: &'a Tensor, bias: Option<&'a Vector>, scale: f32 },
    /// `y = gelu(v + bias)`
    Gelu { y: &'a Tensor, bias: &'a Vector },
    /// `y[i] = act(v[2i]) * v[2i + 1]`: the rows of gate and up alternate in the weights.
    Glu { y: &'a Tensor, act: Act },
    /// `y = softcap(scale * v)`
    Logits { y: &'a Tensor, scale: f32, softcap: Option<f32> },
}

impl<'a> Input<'a> {
    /// Where a matmul of decode takes it from; `digits` where its weights are multiplied with digits.
    pub(super) fn source(&self, digits: bool) -> Source {
        match self {
            Input::Digits(_) if digits => Source::Digits,
            Input::Plain(_) | Input::Digits(_) => Source::Plain,
            Input::RmsNorm { .. } if digits => Source::RmsNormDigits,
            Input::RmsNorm { .. } => Source::RmsNorm,
            Input::LayerNorm { .. } => Source::LayerNorm,
        }
    }

    /// Elements of a row.
    pub(super) fn width(&self) -> u32 {
        match self {
            Input::Plain(x) | Input::Digits(x) | Input::RmsNorm { x, .. } | Input::LayerNorm { x, .. } => x.width,
        }
    }

    pub(super) fn bind<'b>(&self, bindings: &mut Vec<Binding<'b>>)
    where
        'a: 'b,
    {
        match *self {
            Input::Plain(x) | Input::Digits(x) => bindings.push(("x", &x.buffer)),
            Input::RmsNorm { x, weight, .. } => {
                bindings.extend([("x", &x.buffer), ("norm_weight", &weight.buffer)]);
            }
            Input::LayerNorm { x, weight, bias, .. } => {
                bindings.extend([("x", &x.buffer), ("norm_weight", &weight.buffer), ("norm_bias", &bias.buffer)])
            }
        }
    }

    pub(super) fn set(&self, kernel: Kernel) -> Kernel {
        match *self {
            Input::Plain(_) | Input::Digits(_) => kernel,
            Input::RmsNorm { eps, .. } | Input::LayerNorm { eps, .. } => kernel.set("K", self.width()).set("EPS", eps),
        }
    }
}

impl<'a> Output<'a> {
    /// `digits` where a gated unit leaves its results in digits too.
    fn slot(&self, digits: bool) -> &'static str {
        match self {
            Output::Store { bias: None, .. } => "store",
            Output::Store { bias: Some(_), .. } => "bias",
            Output::Add { bias: None, .. } => "add",
            Output::Add { bias: Some(_), .. } => "bias_add",
            Output::Gelu { .. } => "bias_gelu",
            Output::Glu { act: Act::Silu, .. } if digits => "swiglu_digits",
            Output::Glu { act: Act::Silu, .. } => "swiglu",
            Output::Glu { act: Act::Gelu, .. } if digits => "geglu_digits",
            Output::Glu { act: Act::Gelu, .. } => "geglu",
            Output::Logits { .. } => "logits",
        }
    }

    /// What it is written to.
    #[must_use]
    pub fn y(&self) -> &'a Tensor {
        match *self {
            Output::Store { y, .. }
            | Output::Add { y, .. }
            | Output::Gelu { y, .. }
            | Output::Glu { y, .. }
            | Output::Logits { y, .. } => y,
        }
    }

    /// The bias that is added to the product.
    #[must_use]
    pub fn bias(&self) -> Option<&'a Vector> {
        match *self {
            Output::Store { bias, .. } | Output::Add { bias, .. } => bias,
            Output::Gelu { bias, .. } => Some(bias),
            Output::Glu { .. } | Output::Logits { .. } => None,
        }
    }

    /// Elements of a row of y, for a matrix of `rows`.
    fn width(&self, rows: u32) -> u32 {
        if matches!(self, Output::Glu { .. }) { rows / 2 } else { rows }
    }
}

/// A grid of `n` workgroups, folded into two dimensions where one does not hold them.
pub(super) fn folded(n: u32, caps: &Caps) -> Grid {
    let x = n.min(caps.max_workgroups);
    Grid::xy(x, Extent::Fixed(n.div_ceil(x)))
}

impl Recorder<'_> {
    /// `output(w . input(x))`: `y (T, N)` from `x (T, K)` and `w (N, K)`. Returns y as the next op may read it. In
    /// prefill the input is plain: see [`Recorder::normed`].
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn matmul<'y>(&mut self, name: &str, input: Input<'_>, w: &Matrix, output: Output<'y>) -> Result<Input<'y>> {
        if input.width() != w.cols || output.width(w.rows) != output.y().width {
            bail!(
                Internal,
                "{name}: x (T, {}) . w ({}, {}) -> y (T, {}) does not fit",
                input.width(),
                w.rows,
                w.cols,
                output.y().width
            );
        }
        self.observed(&Op::Matmul { name, input, w, output }, |r| match (r.phase, input) {
            (Phase::Decode { .. }, _) => r.matmul_vec(name, input, w, output),
            (Phase::Prefill, Input::Plain(x)) => {
                r.matmul_tile(name, x, w, output)?;
                Ok(Input::Plain(output.y()))
            }
            (Phase::Prefill, _) => bail!(Internal, "{name}: a batch's input is to be normed first"),
        })
    }

    /// The input as a matmul of this phase takes it. Decode's computes a norm while it reads; a batch is normed once,
    /// into `h (T, K)`, for all matmuls that read it.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn normed<'h>(&mut self, name: &str, input: Input<'h>, h: &'h Tensor) -> Result<Input<'h>> {
        self.observed(&Op::Norm { name, input }, |r| match (r.phase, input) {
            (Phase::Decode { .. }, _) | (_, Input::Plain(_)) => Ok(input),
            (Phase::Prefill, _) => {
                r.apply_input(name, input, h)?;
                Ok(Input::Plain(h))
            }
        })
    }

    /// `h (T, K) = input(x)`
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn apply_input(&mut self, name: &str, input: Input<'_>, h: &Tensor) -> Result<()> {
        self.write_input(name, input, h, None)
    }

    /// `y += scale * input(x)`, for norms of a block's output.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn add_input(&mut self, name: &str, input: Input<'_>, y: &Tensor, scale: f32) -> Result<()> {
        self.observed(&Op::AddInput { name, input, y }, |r| r.write_input(name, input, y, Some(scale)))
    }

    fn write_input(&mut self, name: &str, input: Input<'_>, h: &Tensor, add_scale: Option<f32>) -> Result<()> {
        let kernel = Kernel::new("matmul/apply_input").slot("INPUT", input.source(false).slot());
        let kernel = match add_scale {
            Some(scale) => kernel.slot("WRITE", "add").set("RESIDUAL_SCALE", scale),
            None => kernel.slot("WRITE", "store"),
        };
        let kernel = input.set(kernel).set("K16", n_groups(input.width())).set("WG", 64);
        let mut bindings = vec![("h", &h.buffer)];
        input.bind(&mut bindings);
        let grid = Grid { x: self.per_rows(1), y: Extent::Fixed(1), z: 1 };
        self.dispatch(name, &kernel, &bindings, grid)
    }

    /// `y = act(y) * up`, both `(T, F)`: for gate and up that are matrices of their own.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn glu(&mut self, name: &str, act: Act, up: &Tensor, y: &Tensor) -> Result<()> {
        let kernel = Kernel::new("matmul/glu")
            .slot("ACT", if act == Act::Silu { "silu" } else { "gelu" })
            .set("STRIDE", y.stride());
        let grid = Grid::xy(y.stride().div_ceil(ELEMENT_WG), self.per_rows(1));
        self.dispatch(name, &kernel, &[("up", &up.buffer), ("y", &y.buffer)], grid)
    }

    fn matmul_vec<'y>(&mut self, name: &str, input: Input<'_>, w: &Matrix, output: Output<'y>) -> Result<Input<'y>> {
        let (y, glu) = (output.y(), matches!(output, Output::Glu { .. }));
        let mut digits = false;
        for part in &w.parts {
            let (n, groups) = (part.rows.len() as u32, n_groups(w.cols));
            let source = input.source(self.tuning.int8_products && part.sc.is_some());
            let tuning = self.tuning.matmul_vec(n, groups, glu, source);
            digits = glu && can_emit_digits(w, source, tuning, y);
            let grid = folded(n.div_ceil(tuning.rows_per_workgroup()), &self.gpu.caps);
            let Extent::Fixed(grid_x) = grid.x else { unreachable!("folded() makes fixed grids") };
            let kernel = Kernel::new("matmul/vec")
                .slot("WEIGHT", part.layout.weight)
                .slot("SOURCE", source.slot())
                .slot("OUTPUT", output.slot(digits))
                .slot("ROWS", tuning.rows_slot())
                .set("WG", tuning.workgroup)
                .set("LANES", tuning.lanes)
                .set("WORKGROUPS_X", grid_x);
            let kernel = input.set(kernel);
            let (kernel, mut bindings) = operands(kernel, part, groups, &output, digits);
            input.bind(&mut bindings);
            self.dispatch(name, &kernel, &bindings, grid)?;
        }
        Ok(if digits { Input::Digits(y) } else { Input::Plain(y) })
    }

    fn matmul_tile(&mut self, name: &str, x: &Tensor, w: &Matrix, output: Output<'_>) -> Result<()> {
        for part in &w.parts {
            let n = part.rows.len() as u32;
            let tokens = self.tuning.tile_tokens(n);
            let kernel =
                Kernel::new("matmul/tile").slot("WEIGHT", part.layout.weight).slot("OUTPUT", output.slot(false));
            let kernel = kernel.slot("REPEAT", self.tuning.repeat_slot()).set("TILE_T", tokens);
            let (kernel, mut bindings) = operands(kernel, part, n_groups(w.cols), &output, false);
            bindings.extend([("x", &x.buffer), ("batch", &self.batch.place)]);
            let grid = Grid::xy(n.div_ceil(TILE_N), self.per_rows(tokens));
            self.dispatch(name, &kernel, &bindings, grid)?;
        }
        Ok(())
    }
}

/// Whether a gated unit can leave its results in digits too, see `shaders/shared/quant/digits_layout.wgsl`.
fn can_emit_digits(w: &Matrix, source: Source, tuning: VecTuning, y: &Tensor) -> bool {
    // If digits are multiplied here, they are in the next matmul, too.
    let multiplies_digits = source == Source::RmsNormDigits;
    // Digits take no more room than a second row of y.
    let has_room = y.buffer.bytes() >= u64::from(y.stride()) * 2 * size_of::<f32>() as u64;
    // Pairs of rows make results, and a workgroup makes whole groups of 16.
    let whole_groups = tuning.rows_per_workgroup().is_multiple_of(2 * 16);
    multiplies_digits && has_room && whole_groups && w.parts.len() == 1
}

/// Bind the weights of a part and what the output needs; `digits` where a gated unit leaves digits.
fn operands<'a>(
    kernel: Kernel,
    part: &'a Part,
    groups: u32,
    output: &Output<'a>,
    digits: bool,
) -> (Kernel, Vec<Binding<'a>>) {
    let kernel = kernel.set("K16", groups).set("N", part.rows.len() as u32).set("Y_STRIDE", output.y().stride());
    // Digits are made of all rows by one dispatch.
    let kernel = if digits { kernel } else { kernel.set("ROW0", part.rows.start) };
    let kernel = match *output {
        Output::Add { scale, .. } => kernel.set("RESIDUAL_SCALE", scale),
        Output::Logits { scale, softcap, .. } => {
            kernel.set("LOGIT_SCALE", scale).set("LOGIT_SOFTCAP", softcap.unwrap_or(0.0))
        }
        _ => kernel,
    };
    let mut bindings: Vec<Binding<'a>> = vec![("w_qs", &part.qs), ("y", &output.y().buffer)];
    if let Some(sc) = &part.sc {
        bindings.push(("w_sc", sc));
    }
    if let Some(bias) = output.bias() {
        bindings.push(("bias", &bias.buffer));
    }
    (kernel, bindings)
}
