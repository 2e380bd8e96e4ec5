//! Qwen 3.5's gated delta net (arXiv:2412.06464): attention with a state of a fixed size in place of a cache.

use super::super::weights::Builder;
use super::{Block, BlockOutput, InputNorm, Running, State};
use std::rc::Rc;

use crate::error::{Result, bail};
use crate::gpu::Allocate;
use crate::ops::{DeltaNet, DeltaScratch, DeltaShape, Input, Matrix, Output, Recorder, Tensor, Vector};

/// `x += ssm_out . (norm(delta_net(q, k, v, alpha, beta)) * silu(z))` of `q, k, v, z, beta, alpha = ssm_in . norm(x)`
pub struct GatedDeltaNet {
    shape: DeltaShape,
    norm: InputNorm,
    eps: f32,
    /// q, k, v, z, beta and alpha, one below the other: `(row, C)`, see [`DeltaShape::row`].
    ssm_in: Rc<Matrix>,
    /// `(channels, kernel)`
    ssm_conv1d: Vector,
    /// `ssm_a`, `ssm_dt` and `ssm_norm`, one after the other.
    head_weights: Vector,
    /// `(C, n_v D)`
    output: BlockOutput,
    /// `(T, row)`
    x: Tensor,
    scratch: DeltaScratch,
    /// `(T, n_v D)`
    y: Tensor,
}

impl GatedDeltaNet {
    /// # Errors
    /// `MalformedGguf` or `UnsupportedTensorType` naming a tensor.
    pub fn new(b: &mut Builder<'_>, l: u32, shape: DeltaShape) -> Result<Self> {
        let (c, blk) = (b.c, format!("blk.{l}"));
        let (channels, values) = (shape.channels(), shape.values());
        let named = |(name, len): (&str, u32)| (format!("{blk}.{name}"), len);
        let rows = [
            ("attn_qkv.weight", channels),
            ("attn_gate.weight", values),
            ("ssm_beta.weight", shape.n_v),
            ("ssm_alpha.weight", shape.n_v),
        ];
        let vectors =
            [("ssm_a", shape.n_v), ("ssm_dt.bias", shape.n_v), ("ssm_norm.weight", shape.head_dim)].map(named);
        for (name, _) in &vectors {
            b.gguf.require(name)?;
        }
        Ok(GatedDeltaNet {
            shape,
            norm: InputNorm::of_block(b, &blk, "attn_norm")?,
            eps: c.norm.eps(),
            ssm_in: b.stacked(&rows.map(named), c.n_embd)?,
            ssm_conv1d: b.floats(&format!("{blk}.ssm_conv1d.weight"), &[channels, shape.kernel])?,
            head_weights: b.vectors_opt(&vectors)?,
            output: BlockOutput::new(b, &blk, "ssm_out", values, ["post_attention_norm", "attn_post_norm"])?,
            x: b.scratch("ssm_in", 1, shape.row())?,
            scratch: DeltaScratch {
                mixed: b.scratch("ssm_mixed", 1, channels)?,
                chunks: b.scratch("ssm_chunks", 1, shape.chunk_row())?,
            },
            y: b.scratch("ssm_y", 1, values)?,
        })
    }
}

impl Block for GatedDeltaNet {
    fn state(&self, from: &dyn Allocate) -> Result<State> {
        Ok(State::Running(Running::new(from, "delta_state", self.shape.state_bytes())?))
    }

    fn record(&self, r: &mut Recorder<'_>, x: &Tensor, state: &State) -> Result<()> {
        let State::Running(state) = state else { bail!(Internal, "a delta net has no state") };
        let h = self.norm.record(r, x)?;
        r.matmul("ssm_in", h, &self.ssm_in, Output::Store { y: &self.x, bias: None })?;
        let (taps, head_weights) = (&self.ssm_conv1d, &self.head_weights);
        let net = DeltaNet { shape: self.shape, taps, head_weights, eps: self.eps, state: &state.buffer };
        r.delta_net(&net, &self.x, &self.scratch, &self.y)?;
        self.output.record(r, Input::Plain(&self.y), x)
    }
}
