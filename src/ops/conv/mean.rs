//! The mean of an image.

use super::{Image, MEAN_VECTORS, Shape};
use crate::error::{Result, bail};
use crate::gpu::{Grid, Kernel};
use crate::ops::{Op, Recorder};

impl Recorder<'_> {
    /// `y (1, 1, N)`: the mean of `x (H, W, N)` over its places.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn mean(&mut self, name: &str, x: &Image, y: &Image) -> Result<()> {
        if y.shape() != Shape::new(1, 1, x.rows.width) {
            bail!(Internal, "{name}: y {} of x {}", y.shape(), x.shape());
        }
        self.observed(&Op::Image { name, y }, |r| {
            let k = Kernel::new("conv/mean").set("PLACES", x.shape().places()).set("N", y.rows.width);
            let grid = Grid::x(y.rows.width.div_ceil(4).div_ceil(MEAN_VECTORS));
            r.dispatch(name, &k, &[("x", &x.rows.buffer), ("y", &y.rows.buffer)], grid)
        })
    }
}
