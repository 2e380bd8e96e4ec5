//! Convolutions of each channel by itself.

use super::{Epilogue, Image, Window, check_weights};
use crate::error::{Result, bail};
use crate::gpu::{Extent, Grid, Kernel};
use crate::ops::recorder::ELEMENT_WG;
use crate::ops::{Matrix, Op, Recorder};

impl Recorder<'_> {
    /// `y (H', W', N)` from `x (H, W, N)` and `w (kernel kernel, N)`, whose rows go by rows of the window and its columns. The
    /// kernel is 3 or 5, the residual none, the activation none or ReLU6.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit, or there is no such variant: a defect in the forward pass.
    pub fn depthwise(
        &mut self,
        name: &str,
        x: &Image,
        w: &Matrix,
        kernel: u32,
        window: Window,
        epilogue: Epilogue<'_>,
        y: &Image,
    ) -> Result<()> {
        check_weights(name, w, kernel * kernel, y.rows.width)?;
        epilogue.check(name, y.shape())?;
        let kernel = match kernel {
            3 => "3",
            5 => "5",
            _ => bail!(Internal, "{name}: a window of {kernel} x {kernel}, 3 x 3 and 5 x 5 are supported"),
        };
        window.check(name, x, y)?;
        if x.rows.width != y.rows.width {
            bail!(Internal, "{name}: y {} of x {}", y.shape(), x.shape());
        }
        self.observed(&Op::Image { name, y }, |r| {
            let mut bindings = vec![("x", &x.rows.buffer), ("w", &w.parts[0].qs)];
            let n4 = y.rows.width.div_ceil(4);
            let outs = r.tuning.depthwise_outs(y.shape().places() * n4);
            let k =
                Kernel::new("conv/depthwise").slot("KERNEL", kernel).slot("OUTS", if outs == 1 { "1" } else { "4" });
            let k = epilogue.bind(window.set(k, x, y), y, &mut bindings);
            let grid = Grid::xy((y.width.div_ceil(outs) * n4).div_ceil(ELEMENT_WG), Extent::Fixed(y.height));
            r.dispatch(name, &k, &bindings, grid)
        })
    }
}
