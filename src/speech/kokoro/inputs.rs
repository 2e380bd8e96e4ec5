//! What a text is on the GPU.

use std::rc::Rc;

use super::{MAX_TOKENS, N_TOKENS, STYLE};
use crate::error::{Result, bail};
use crate::gpu::{Allocate, Buffer, Gpu, Usage};
use crate::ops::Tensor;

/// What is written for each text.
pub struct Inputs {
    /// `(N)` u32
    pub tokens: Rc<Buffer>,
    /// `(256)`, and each half
    pub style: Rc<Buffer>,
    pub halves: [Tensor; 2],
}

impl Inputs {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate) -> Result<Self> {
        let half = || Tensor::new(from, "style", 1, STYLE);
        Ok(Inputs {
            tokens: from.buffer("tokens", u64::from(MAX_TOKENS) * 4, Usage::Storage)?,
            style: from.buffer("style", u64::from(STYLE) * 8, Usage::Storage)?,
            halves: [half()?, half()?],
        })
    }

    /// The next text is this one.
    ///
    /// # Errors
    /// `InvalidArgument` where there are no tokens or too many, a token is none, or the style is not of 256 numbers.
    pub fn write(&self, gpu: &Gpu, tokens: &[u32], style: &[f32]) -> Result<()> {
        if tokens.is_empty() || tokens.len() > MAX_TOKENS as usize {
            bail!(InvalidArgument, "there are {} tokens; 1 to {MAX_TOKENS} are allowed", tokens.len());
        }
        if let Some(id) = tokens.iter().find(|&&id| id >= N_TOKENS) {
            bail!(InvalidArgument, "a token is {id}; 0 to {} are allowed", N_TOKENS - 1);
        }
        if style.len() != 2 * STYLE as usize || !style.iter().all(|v| v.is_finite()) {
            bail!(InvalidArgument, "the style has {} numbers; {} finite ones are needed", style.len(), 2 * STYLE);
        }
        gpu.write(&self.tokens, 0, tokens);
        gpu.write(&self.style, 0, style);
        for (half, values) in self.halves.iter().zip(style.chunks_exact(STYLE as usize)) {
            gpu.write(&half.buffer, 0, values);
        }
        Ok(())
    }
}
