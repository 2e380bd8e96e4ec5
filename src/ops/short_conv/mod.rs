//! The gated short convolution of LFM2: a causal convolution of each channel by itself, between two gates.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::{Op, Recorder, Tensor, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Allocate, Buffer, Grid, Kernel, Usage};

/// The gated inputs of the last positions, `(capacity, C)`.
pub struct ColumnRing {
    buffer: Rc<Buffer>,
    /// Positions kept; position `p` lies at `p % capacity`.
    pub capacity: u32,
}

impl ColumnRing {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, capacity: u32, channels: u32) -> Result<Self> {
        let bytes = u64::from(capacity) * u64::from(channels) * 4;
        Ok(ColumnRing { buffer: from.buffer("columns", bytes, Usage::Storage)?, capacity })
    }
}

/// The convolution of a layer.
pub struct ShortConv<'a> {
    /// Columns that a sum is of, the token's own included.
    pub kernel: u32,
    /// `(C, kernel)`, the oldest column's tap first.
    pub taps: &'a Vector,
    /// Hold a batch and `kernel - 1` columns before it, or all positions.
    pub columns: &'a ColumnRing,
}

impl Recorder<'_> {
    /// `y (T, C) = c * conv(b * x)` of `bcx (T, 3 C)`: b, c and x side by side. Also puts `b * x` into the columns.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn short_conv(&mut self, conv: &ShortConv<'_>, bcx: &Tensor, y: &Tensor) -> Result<()> {
        let ShortConv { kernel, taps, columns } = *conv;
        let c = y.width;
        if bcx.width != 3 * c || taps.len != c * kernel || !c.is_multiple_of(4) {
            bail!(Internal, "a convolution of {kernel} with {} taps of {} channels to {c}", taps.len, bcx.width);
        }
        self.observed(&Op::ShortConv { conv, bcx, y }, |r| {
            let k = Kernel::new("short_conv/gated")
                .set("C4", c / 4)
                .set("KERNEL", kernel)
                .set("CAPACITY", columns.capacity)
                .set("STRIDE4", bcx.stride() / 4)
                .set("Y_STRIDE4", y.stride() / 4);
            let bindings = [
                ("bcx", &bcx.buffer),
                ("w", &taps.buffer),
                ("columns", &columns.buffer),
                ("y", &y.buffer),
                ("batch", &r.batch.place),
            ];
            let grid = Grid::xy((c / 4).div_ceil(ELEMENT_WG), r.per_rows(1));
            r.dispatch("short_conv", &k, &bindings, grid)
        })
    }
}
