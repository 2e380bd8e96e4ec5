//! Enlarging an image.

use super::{Activation, Image};
use crate::error::{Result, bail};
use crate::gpu::{Extent, Grid, Kernel};
use crate::ops::recorder::ELEMENT_WG;
use crate::ops::{Op, Recorder};

impl Recorder<'_> {
    /// `y = skip + activation(x, twice as large)`, `x (H, W, N)`, the others `(2 H, 2 W, N)`: bilinear, with pixels' centres at
    /// halves and edges that go on (TFLite's RESIZE_BILINEAR with `half_pixel_centers`). The activation is none or PReLU.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit, or there is no such variant: a defect in the forward pass.
    pub fn upsample_add(
        &mut self,
        name: &str,
        x: &Image,
        activation: Activation<'_>,
        skip: &Image,
        y: &Image,
    ) -> Result<()> {
        let fits = y.shape() == skip.shape()
            && [y.height, y.width] == [2 * x.height, 2 * x.width]
            && x.rows.width == y.rows.width;
        if !fits {
            bail!(Internal, "{name}: y {} of x {} and a residual of {}", y.shape(), x.shape(), skip.shape());
        }
        activation.check(name, y.rows.width)?;
        self.observed(&Op::Image { name, y }, |r| {
            let mut bindings = vec![("x", &x.rows.buffer), ("skip", &skip.rows.buffer), ("y", &y.rows.buffer)];
            let k = Kernel::new("conv/upsample").set("IN_H", x.height).set("IN_W", x.width).set("N", y.rows.width);
            let k = activation.bind(k, &mut bindings);
            let vectors = y.width * y.rows.width.div_ceil(4);
            r.dispatch(name, &k, &bindings, Grid::xy(vectors.div_ceil(ELEMENT_WG), Extent::Fixed(y.height)))
        })
    }
}
