//! Convolutions over all channels.

use super::{Epilogue, Image, Window, check_weights};
use crate::error::Result;
use crate::gpu::{Extent, Grid, Kernel};
use crate::ops::recorder::ELEMENT_WG;
use crate::ops::{Matrix, Op, Recorder};

impl Recorder<'_> {
    /// `y (H', W', N)` from `x (H, W, C)` and `w (N, kernel kernel C)`, whose rows go by rows of the window, its columns, and
    /// channels. The residual is none.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn conv(
        &mut self,
        name: &str,
        x: &Image,
        w: &Matrix,
        kernel: u32,
        window: Window,
        epilogue: Epilogue<'_>,
        y: &Image,
    ) -> Result<()> {
        check_weights(name, w, y.rows.width, kernel * kernel * x.rows.width)?;
        epilogue.check(name, y.shape())?;
        window.check(name, x, y)?;
        self.observed(&Op::Image { name, y }, |r| {
            let mut bindings = vec![("x", &x.rows.buffer), ("w", &w.parts[0].qs)];
            let k = Kernel::new("conv/dense").set("KERNEL", kernel).set("C", x.rows.width);
            let k = epilogue.bind(window.set(k, x, y), y, &mut bindings);
            let grid = Grid::xy(y.shape().places().div_ceil(ELEMENT_WG), Extent::Fixed(y.rows.width.div_ceil(4)));
            r.dispatch(name, &k, &bindings, grid)
        })
    }
}
