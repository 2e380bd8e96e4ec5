//! Activations and small f32 vectors on the GPU.

use std::rc::Rc;

use super::n_groups;
use crate::error::Result;
use crate::gpu::{Allocate, Buffer, Usage};

/// Activations of a batch: `(T, width)` f32, up to a fixed T. Rows are padded with zeros to whole groups of 16
/// elements, so that kernels read them as they read weights.
#[derive(Clone)]
pub struct Tensor {
    pub buffer: Rc<Buffer>,
    pub width: u32,
}

impl Tensor {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, label: &str, max_tokens: u32, width: u32) -> Result<Self> {
        let bytes = u64::from(max_tokens) * u64::from(n_groups(width)) * 64;
        Ok(Tensor { buffer: from.buffer(label, bytes, Usage::Storage)?, width })
    }

    /// Elements from one row to the next.
    #[must_use]
    pub fn stride(&self) -> u32 {
        n_groups(self.width) * 16
    }
}

/// A norm's weight or a bias: `(len)` f32, padded with zeros to a whole group of 16.
#[derive(Clone)]
pub struct Vector {
    pub buffer: Rc<Buffer>,
    pub len: u32,
}
