//! Matmul, with what comes before it (norms, the merge of attention's splits) and after it (bias, activation,
//! residual) in the same kernel where the phase allows.

use super::{Matrix, Part, Phase, Read, Recorder, Tensor, Vector, n_groups};
use crate::error::{Result, bail};
use crate::gpu::{Binding, Caps, Extent, Grid, Kernel};

/// What is multiplied: `x (T, K)`, or a function of it.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    Plain(&'a Tensor),
    /// As `Plain`, where decode's op that wrote x left its digits behind it.
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
    pub(super) fn slot(&self) -> &'static str {
        match self {
            Input::Plain(_) => "plain",
            Input::Digits(_) => "digits",
            Input::RmsNorm { .. } => "rms_norm",
            Input::LayerNorm { .. } => "layer_norm",
        }
    }

    /// How a matmul of decode reads it; `int8_products` where it can take digits.
    pub(super) fn read(&self, int8_products: bool) -> Read {
        match self {
            Input::Plain(_) => Read::Direct,
            Input::Digits(_) => Read::Digits,
            Input::RmsNorm { .. } if int8_products => Read::StagedDigits,
            _ => Read::Staged,
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
            Input::RmsNorm { eps, .. } | Input::LayerNorm { eps, .. } => {
                kernel.set("K", self.width()).must_set("EPS", eps)
            }
        }
    }
}

impl<'a> Output<'a> {
    /// `digits` where a gated unit leaves its results as digits, too.
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

    fn y(&self) -> &'a Tensor {
        match *self {
            Output::Store { y, .. }
            | Output::Add { y, .. }
            | Output::Gelu { y, .. }
            | Output::Glu { y, .. }
            | Output::Logits { y, .. } => y,
        }
    }

    fn bias(&self) -> Option<&'a Vector> {
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
fn folded(n: u32, caps: &Caps) -> Grid {
    let x = n.min(caps.max_workgroups);
    Grid::xy(x, Extent::Fixed(n.div_ceil(x)))
}

impl Recorder<'_> {
    /// `output(w . input(x))`: `y (T, N)` from `x (T, K)` and `w (N, K)`. Returns y as the next op may read it.
    ///
    /// # Errors
    /// `Internal` where shapes do not fit: a defect in the forward pass.
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
        match self.phase {
            Phase::Decode { .. } => self.matmul_vec(name, input, w, output),
            Phase::Prefill => {
                match input {
                    Input::Plain(x) => self.matmul_tile(name, x, w, output)?,
                    _ => {
                        let h = self.apply_input(name, input)?;
                        self.matmul_tile(name, &h, w, output)?;
                    }
                }
                Ok(Input::Plain(output.y()))
            }
        }
    }

    /// `h (T, K) = input(x)` in a scratch tensor.
    ///
    /// # Errors
    /// As [`Recorder::scratch`].
    pub fn apply_input(&mut self, name: &str, input: Input<'_>) -> Result<Tensor> {
        let h = self.scratch("norm", input.width())?;
        self.write_input(name, input, &h, None)?;
        Ok(h)
    }

    /// `y += scale * input(x)`, for norms of a block's output.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn add_input(&mut self, name: &str, input: Input<'_>, y: &Tensor, scale: f32) -> Result<()> {
        self.write_input(name, input, y, Some(scale))
    }

    fn write_input(&mut self, name: &str, input: Input<'_>, h: &Tensor, add_scale: Option<f32>) -> Result<()> {
        let kernel = Kernel::new("apply_input")
            .slot("INPUT", input.slot())
            .slot("WRITE", if add_scale.is_some() { "add" } else { "store" })
            .set("K16", n_groups(input.width()))
            .must_set("RESIDUAL_SCALE", add_scale.unwrap_or(1.0));
        let kernel = input.set(kernel).set("WG", 64).set("SUBGROUP", self.tuning.subgroup);
        let mut bindings = vec![("h", &h.buffer)];
        input.bind(&mut bindings);
        let grid = Grid { x: self.per_tokens(1), y: Extent::Fixed(1), z: 1 };
        self.dispatch(&format!("{name}.input"), &kernel, &bindings, grid)
    }

    /// `y = act(y) * up`, both `(T, F)`: for gate and up that are matrices of their own.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn glu(&mut self, name: &str, act: Act, up: &Tensor, y: &Tensor) -> Result<()> {
        let kernel =
            Kernel::new("glu").slot("ACT", if act == Act::Silu { "silu" } else { "gelu" }).set("STRIDE", y.stride());
        let grid = Grid::xy(y.stride().div_ceil(64), self.per_tokens(1));
        self.dispatch(name, &kernel, &[("up", &up.buffer), ("y", &y.buffer)], grid)
    }

    fn matmul_vec<'y>(&mut self, name: &str, input: Input<'_>, w: &Matrix, output: Output<'y>) -> Result<Input<'y>> {
        let (y, glu) = (output.y(), matches!(output, Output::Glu { .. }));
        let mut digits = false;
        for part in &w.parts {
            let (n, groups) = (part.rows.len() as u32, n_groups(w.cols));
            let input = match input {
                Input::Digits(x) if part.sc.is_none() => Input::Plain(x),
                _ => input,
            };
            let read = input.read(self.tuning.int8_products && part.sc.is_some());
            let tuning = self.tuning.matmul_vec(n, groups, glu, read);
            // Whole groups of 16 in a workgroup can become digits.
            digits = glu
                && read == Read::StagedDigits
                && w.parts.len() == 1
                && y.holds_digits()
                && tuning.rows_per_workgroup().is_multiple_of(32);
            let grid = folded(n.div_ceil(tuning.rows_per_workgroup()), &self.gpu.caps);
            let Extent::Fixed(grid_x) = grid.x else { unreachable!("folded() makes fixed grids") };
            let kernel = Kernel::new("matmul_vec")
                .slot("WEIGHT", part.layout.weight)
                .slot("INPUT", input.slot())
                .slot("READ", read.slot())
                .slot("OUTPUT", output.slot(digits))
                .slot("ROWS", tuning.rows_slot())
                .set("WG", tuning.workgroup)
                .set("LANES", tuning.lanes)
                .set("SUBGROUP", self.tuning.subgroup)
                .set("WORKGROUPS_X", grid_x);
            let kernel = input.set(kernel);
            let (kernel, mut bindings) = operands(kernel, part, groups, &output);
            input.bind(&mut bindings);
            self.dispatch(name, &kernel, &bindings, grid)?;
        }
        Ok(if digits { Input::Digits(y) } else { Input::Plain(y) })
    }

    fn matmul_tile(&mut self, name: &str, x: &Tensor, w: &Matrix, output: Output<'_>) -> Result<()> {
        for part in &w.parts {
            let n = part.rows.len() as u32;
            let workgroup = self.tuning.tile_workgroup(n);
            let kernel =
                Kernel::new("matmul_tile").slot("WEIGHT", part.layout.weight).slot("OUTPUT", output.slot(false));
            let kernel = kernel.set("WG", workgroup);
            let (kernel, mut bindings) = operands(kernel, part, n_groups(w.cols), &output);
            bindings.extend([("x", &x.buffer), ("state", &self.step.state)]);
            let grid = Grid::xy(n.div_ceil(workgroup / 2), self.per_tokens(64));
            self.dispatch(name, &kernel, &bindings, grid)?;
        }
        Ok(())
    }
}

/// Bind the weights of a part and what the output needs.
fn operands<'a>(kernel: Kernel, part: &'a Part, groups: u32, output: &Output<'a>) -> (Kernel, Vec<Binding<'a>>) {
    let kernel = kernel
        .set("K16", groups)
        .set("N", part.rows.len() as u32)
        .set("ROW0", part.rows.start)
        .set("Y_STRIDE", output.y().stride());
    let kernel = match *output {
        Output::Add { scale, .. } => kernel.must_set("RESIDUAL_SCALE", scale),
        Output::Logits { scale, softcap, .. } => {
            kernel.must_set("LOGIT_SCALE", scale).must_set("LOGIT_SOFTCAP", softcap.unwrap_or(0.0))
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
