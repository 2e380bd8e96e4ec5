//! The feed-forward block: a gated unit (arXiv:2002.05202), or two matrices with GELU between them.

use std::rc::Rc;

use super::super::config::Ffn;
use super::super::weights::{Builder, Linear};
use super::{Block, BlockOutput, InputNorm, State};
use crate::error::{Result, bail};
use crate::gpu::Allocate;
use crate::ops::{Act, Input, Matrix, Output, Recorder, Tensor, Vector};

/// `x += down . inside(norm(x))`
pub struct FeedForward {
    norm: InputNorm,
    inside: Inside,
    /// `(C, F)`
    output: BlockOutput,
    /// `(T, F)`
    ffn: Tensor,
}

/// What is computed between the norm and the output matrix.
pub enum Inside {
    /// `act(gate . h) * (up . h)`, the rows of gate and up in turn: `(2 F, C)`.
    Alternating { gate_up: Rc<Matrix>, act: Act },
    /// The same of two matrices, of different types or with biases: `(F, C)` each.
    Apart { ffn_gate: Linear, ffn_up: Linear, act: Act, up: Tensor },
    /// `gelu(up . h + bias)`
    Gelu { ffn_up: Rc<Matrix>, bias: Vector },
}

impl FeedForward {
    /// # Errors
    /// `MalformedGguf` or `UnsupportedTensorType` naming a tensor.
    pub fn new(b: &mut Builder<'_>, l: u32, ffn: Ffn, n_ff: u32) -> Result<Self> {
        let (c, blk) = (b.c, format!("blk.{l}"));
        Ok(FeedForward {
            norm: InputNorm::of_block(b, &blk, "ffn_norm")?,
            inside: match ffn {
                Ffn::Gated(act) => gated(b, &["gate", "up"].map(|n| format!("{blk}.ffn_{n}")), act, n_ff)?,
                _ => {
                    let Linear { weight: ffn_up, bias } = b.linear(&format!("{blk}.ffn_up"), n_ff, c.n_embd)?;
                    let Some(bias) = bias else {
                        bail!(MalformedGguf, "tensor '{blk}.ffn_up.bias' is missing from the file");
                    };
                    Inside::Gelu { ffn_up, bias }
                }
            },
            output: BlockOutput::new(b, &blk, "ffn_down", n_ff, ["post_ffw_norm", "ffn_post_norm"])?,
            ffn: b.scratch("ffn", 1, n_ff)?,
        })
    }
}

/// Gate and up, with these names without `.weight`: two tensors, or one with the rows of gate above those of up.
///
/// # Errors
/// As [`Builder::tensor`].
pub fn gated(b: &mut Builder<'_>, linears: &[String; 2], act: Act, n_ff: u32) -> Result<Inside> {
    let c = b.c;
    let names = linears.each_ref().map(|n| format!("{n}.weight"));
    if b.gguf.tensor(&names[0]).is_none() {
        let both = b.tensor(&names[1], &[2 * n_ff, c.n_embd])?;
        let (gate, up) = both.split_rows(n_ff.into())?;
        return Ok(Inside::Alternating { gate_up: b.alternating([&gate, &up], 2, c.n_embd)?, act });
    }
    let [gate, up] = [b.tensor(&names[0], &[n_ff, c.n_embd])?, b.tensor(&names[1], &[n_ff, c.n_embd])?];
    let has_bias = |n: &String| b.gguf.tensor(&format!("{n}.bias")).is_some();
    if gate.ty == up.ty && !linears.iter().any(has_bias) {
        return Ok(Inside::Alternating { gate_up: b.alternating([gate, up], 2, c.n_embd)?, act });
    }
    let [ffn_gate, ffn_up] = linears.each_ref().map(|n| b.linear(n, n_ff, c.n_embd));
    Ok(Inside::Apart { ffn_gate: ffn_gate?, ffn_up: ffn_up?, act, up: b.scratch("up", 1, n_ff)? })
}

impl Inside {
    /// Record it, of `h`; the result is in `y (T, F)`, as the matmul after it reads it.
    ///
    /// # Errors
    /// As [`Recorder::matmul`].
    pub fn record<'y>(&'y self, r: &mut Recorder<'_>, h: Input<'_>, y: &'y Tensor) -> Result<Input<'y>> {
        match self {
            Inside::Alternating { gate_up, act } => r.matmul("ffn_gate_up", h, gate_up, Output::Glu { y, act: *act }),
            Inside::Apart { ffn_gate, ffn_up, act, up } => {
                r.matmul("ffn_gate", h, &ffn_gate.weight, Output::Store { y, bias: ffn_gate.bias.as_ref() })?;
                r.matmul("ffn_up", h, &ffn_up.weight, Output::Store { y: up, bias: ffn_up.bias.as_ref() })?;
                r.glu("ffn_act", *act, up, y)?;
                Ok(Input::Plain(y))
            }
            Inside::Gelu { ffn_up, bias } => r.matmul("ffn_up", h, ffn_up, Output::Gelu { y, bias }),
        }
    }
}

impl Block for FeedForward {
    fn state(&self, _: &dyn Allocate) -> Result<State> {
        Ok(State::None)
    }

    fn record(&self, r: &mut Recorder<'_>, x: &Tensor, _: &State) -> Result<()> {
        let h = self.norm.record(r, x)?;
        let h = self.inside.record(r, h, &self.ffn)?;
        self.output.record(r, h, x)
    }
}
