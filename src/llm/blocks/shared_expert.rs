//! The expert that all tokens of a mixture go through beside their own, with a gate (arXiv:2401.06066; Qwen 2 gave it the gate).

use std::rc::Rc;

use super::super::weights::Builder;
use super::ffn::{Inside, gated};
use crate::error::Result;
use crate::ops::{Act, Input, Matrix, Output, Recorder, Tensor};

/// `x += sigmoid(gate_inp . h) * down . (silu(gate . h) * (up . h))`
pub struct SharedExpert {
    /// `(1, C)`
    ffn_gate_inp_shexp: Rc<Matrix>,
    inside: Inside,
    /// `(C, F)`
    ffn_down_shexp: Rc<Matrix>,
    residual_scale: f32,
    /// `(T, 1)`
    gate: Tensor,
    /// `(T, F)`
    ffn: Tensor,
    /// `(T, C)`
    y: Tensor,
}

impl SharedExpert {
    /// # Errors
    /// `MalformedGguf` or `UnsupportedTensorType` naming a tensor.
    pub fn new(b: &mut Builder<'_>, blk: &str, n_ff: u32) -> Result<Self> {
        let c = b.c;
        Ok(SharedExpert {
            ffn_gate_inp_shexp: b.row(&format!("{blk}.ffn_gate_inp_shexp.weight"), c.n_embd)?,
            inside: gated(b, &["gate", "up"].map(|n| format!("{blk}.ffn_{n}_shexp")), Act::Silu, n_ff)?,
            ffn_down_shexp: b.stacked(&[(format!("{blk}.ffn_down_shexp.weight"), c.n_embd)], n_ff)?,
            residual_scale: c.residual_scale,
            gate: b.scratch("gate_shexp", 1, 1)?,
            ffn: b.scratch("ffn_shexp", 1, n_ff)?,
            y: b.scratch("block_out", 1, c.n_embd)?,
        })
    }

    /// Record what it makes of `h`, before anything is added to `x`: `h` may be a norm of `x` that is yet to be computed.
    ///
    /// # Errors
    /// As [`Recorder::matmul`].
    pub fn record(&self, r: &mut Recorder<'_>, h: Input<'_>) -> Result<()> {
        let store = |y| Output::Store { y, bias: None };
        r.matmul("ffn_gate_inp_shexp", h, &self.ffn_gate_inp_shexp, store(&self.gate))?;
        let inside = self.inside.record(r, h, &self.ffn)?;
        r.matmul("ffn_down_shexp", inside, &self.ffn_down_shexp, store(&self.y))?;
        Ok(())
    }

    /// Record the sum.
    ///
    /// # Errors
    /// As [`Recorder::add_gated`].
    pub fn record_sum(&self, r: &mut Recorder<'_>, x: &Tensor) -> Result<()> {
        r.add_gated("ffn_shexp", &self.y, &self.gate, x, self.residual_scale)
    }
}
