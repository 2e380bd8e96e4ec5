//! LFM2's gated short convolution: a causal convolution of each channel by itself over a few positions.

use super::super::weights::{Builder, Linear};
use super::state::ring_capacity;
use super::{Block, BlockOutput, InputNorm, State};
use crate::error::{Result, bail};
use crate::gpu::Allocate;
use crate::ops::{ColumnRing, Input, Output, Recorder, ShortConv, Tensor, Vector};

/// `x += out_proj . (c * conv(b * v))` of `b, c, v = in_proj . norm(x)`
pub struct ShortConvolution {
    norm: InputNorm,
    /// b, c and v, one below the other: `(3 C, C)`.
    in_proj: Linear,
    /// Positions that a sum is of.
    kernel: u32,
    /// `(C, kernel)`
    conv: Vector,
    /// `(C, C)`
    output: BlockOutput,
    /// Positions that the ring keeps.
    capacity: u32,
    /// b, c and v of the batch, `(T, 3 C)`.
    bcx: Tensor,
    /// `(T, C)`
    gated: Tensor,
}

impl ShortConvolution {
    /// # Errors
    /// `MalformedGguf` or `UnsupportedTensorType` naming a tensor; `UnsupportedArchitecture` where the width is beyond the
    /// kernel.
    pub fn new(b: &mut Builder<'_>, l: u32, kernel: u32) -> Result<Self> {
        let (c, blk) = (b.c.n_embd, format!("blk.{l}"));
        if !c.is_multiple_of(4) {
            bail!(UnsupportedArchitecture, "a convolution of {c} channels; multiples of 4 are supported");
        }
        Ok(ShortConvolution {
            norm: InputNorm::of_block(b, &blk, "attn_norm")?,
            in_proj: b.linear(&format!("{blk}.shortconv.in_proj"), 3 * c, c)?,
            kernel,
            conv: b.floats(&format!("{blk}.shortconv.conv.weight"), &[c, kernel])?,
            output: BlockOutput::new(b, &blk, "shortconv.out_proj", c, ["post_attention_norm", "attn_post_norm"])?,
            capacity: ring_capacity(Some(kernel), b.sizes),
            bcx: b.scratch("bcx", 1, 3 * c)?,
            gated: b.scratch("gated", 1, c)?,
        })
    }
}

impl Block for ShortConvolution {
    fn state(&self, from: &dyn Allocate) -> Result<State> {
        let ring = ColumnRing::new(from, self.capacity, self.gated.width)?;
        Ok(State::Columns { ring, window: self.kernel })
    }

    fn record(&self, r: &mut Recorder<'_>, x: &Tensor, state: &State) -> Result<()> {
        let State::Columns { ring, .. } = state else { bail!(Internal, "a convolution has no ring") };
        let Linear { weight, bias } = &self.in_proj;
        let h = self.norm.record(r, x)?;
        r.matmul("shortconv.in_proj", h, weight, Output::Store { y: &self.bcx, bias: bias.as_ref() })?;
        let conv = ShortConv { kernel: self.kernel, taps: &self.conv, columns: ring };
        r.short_conv(&conv, &self.bcx, &self.gated)?;
        self.output.record(r, Input::Plain(&self.gated), x)
    }
}
