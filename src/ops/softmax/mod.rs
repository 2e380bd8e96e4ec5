//! Attention of all rows of a series to all.

#[cfg(all(test, feature = "speech"))]
mod tests;

use super::{Recorder, Series};
use crate::error::{Result, bail};
use crate::gpu::{Extent, Grid, Kernel};

wgsl_exports!("softmax");

/// Elements of a head.
const HEAD_DIM: u32 = 64;

impl Recorder<'_> {
    /// `y (T, heads 64)` of `qkv (T, 3 heads 64)`: queries, keys, values, for up to [`MAX_ROWS`] rows.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn attend(&mut self, name: &str, qkv: &Series, heads: u32, y: &Series) -> Result<()> {
        let row = heads * HEAD_DIM;
        if [qkv.width(), y.width()] != [3 * row, row] || qkv.len() != y.len() || y.len() > MAX_ROWS {
            bail!(
                Internal,
                "{name}: y ({}, {}) of qkv ({}, {}), up to {MAX_ROWS} rows are allowed",
                y.len(),
                y.width(),
                qkv.len(),
                qkv.width()
            );
        }
        let k =
            Kernel::new("softmax/attention").set("HEADS", heads).set("SCORE_SCALE", f64::from(HEAD_DIM).sqrt().recip());
        let bindings = [("qkv", &qkv.rows.buffer), ("x_len", qkv.len.buffer()), ("y", &y.rows.buffer)];
        self.dispatch(name, &k, &bindings, Grid::xy(heads, Extent::Fixed(y.len().div_ceil(QUERIES))))
    }
}
