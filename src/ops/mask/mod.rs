//! Which tokens may come next: the logits of others become too low to be drawn.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::{Recorder, Tensor};
use crate::error::Result;
use crate::gpu::{Allocate, Buffer, Gpu, Grid, Kernel, Usage};

/// The tokens that may come next, a bit each.
pub struct Allowed(Rc<Buffer>);

impl Allowed {
    /// For a vocabulary of `n_vocab` tokens.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, n_vocab: u32) -> Result<Self> {
        Ok(Allowed(from.buffer("allowed", u64::from(n_vocab.div_ceil(32)) * 4, Usage::Storage)?))
    }

    /// Set them: 32 tokens to a word, the lowest bit first. What is beyond the vocabulary counts for nothing.
    pub fn set(&self, gpu: &Gpu, words: &[u32]) {
        gpu.write(&self.0, 0, &words[..words.len().min(self.0.bytes() as usize / 4)]);
    }
}

impl Recorder<'_> {
    /// Make the logits of tokens that are not allowed too low to be drawn, in `logits (n_vocab)`.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn mask(&mut self, allowed: &Allowed, logits: &Tensor) -> Result<()> {
        let kernel = Kernel::new("mask/logits").set("N_VOCAB", logits.width);
        let bindings = [("logits", &logits.buffer), ("allowed", &allowed.0)];
        self.dispatch("mask", &kernel, &bindings, Grid::x(logits.width.div_ceil(ELEMENT_WG)))
    }
}
