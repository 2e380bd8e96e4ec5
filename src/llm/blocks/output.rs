//! The end of a block: its output matrix, a norm of the result in some architectures, and the residual sum.

use super::super::weights::{Builder, Linear};
use crate::error::Result;
use crate::ops::{Input, Output, Recorder, Tensor, Vector};

/// `x += scale * (w . h)`, or `x += scale * norm(w . h)`.
pub struct BlockOutput {
    /// `attn_output` or `ffn_down`
    name: &'static str,
    /// `attn_post_norm` or `ffn_post_norm`
    norm_name: &'static str,
    w: Linear,
    post_norm: Option<PostNorm>,
    scale: f32,
}

struct PostNorm {
    weight: Vector,
    eps: f32,
    /// The product that is normed, `(T, C)`.
    y: Tensor,
}

impl BlockOutput {
    /// The matrix `<blk>.<name>` of `cols` columns, and the norm `<blk>.<norm>` of its result if the file has it.
    ///
    /// # Errors
    /// `MalformedGguf` if the matrix is missing; as [`Builder::linear`].
    pub fn new(
        b: &mut Builder<'_>,
        blk: &str,
        name: &'static str,
        cols: u32,
        [norm, norm_name]: [&'static str; 2],
    ) -> Result<Self> {
        let c = b.c;
        let w = b.linear(&format!("{blk}.{name}"), c.n_embd, cols)?;
        // By the same name some models have the norm of the next block's input.
        let weight = if norm == c.ffn_norm { None } else { b.vector_opt(&format!("{blk}.{norm}.weight"), c.n_embd)? };
        let post_norm = match weight {
            None => None,
            Some(weight) => Some(PostNorm { weight, eps: c.norm.eps(), y: b.scratch("block_out", 1, c.n_embd)? }),
        };
        Ok(BlockOutput { name, norm_name, w, post_norm, scale: c.residual_scale })
    }

    /// Record it, of a block's inside `h`.
    ///
    /// # Errors
    /// As [`Recorder::matmul`].
    pub fn record(&self, r: &mut Recorder<'_>, h: Input<'_>, x: &Tensor) -> Result<()> {
        let (w, bias, scale) = (&self.w.weight, self.w.bias.as_ref(), self.scale);
        let Some(PostNorm { weight, eps, y }) = &self.post_norm else {
            r.matmul(self.name, h, w, Output::Add { y: x, bias, scale })?;
            return Ok(());
        };
        r.matmul(self.name, h, w, Output::Store { y, bias })?;
        r.add_input(self.norm_name, Input::RmsNorm { x: y, weight, eps: *eps }, x, scale)
    }
}
