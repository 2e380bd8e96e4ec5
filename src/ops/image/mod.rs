//! From pictures to the images that networks look at.

#[cfg(all(test, feature = "hands"))]
mod tests;

use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::{Image, Op, Recorder, Shape};
use crate::error::{Result, bail};
use crate::gpu::{Allocate, Buffer, Grid, Kernel, Usage};

wgsl_exports!("image");

/// A buffer for the [`CropParams`] of one crop. They are written before each run, so that a plan stays as it is.
///
/// # Errors
/// As [`Allocate::buffer`].
pub fn crop_params(from: &dyn Allocate, label: &str) -> Result<Rc<Buffer>> {
    from.buffer(label, size_of::<CropParams>() as u64, Usage::Uniform)
}

impl Recorder<'_> {
    /// `y (side, side, 3)`: a square cut from a picture of 8-bit RGBA, as `params`, a [`CropParams`], say; `side` there is the
    /// side of y. Coordinates are f32: 2^-22 of the picture's side exact, at worst.
    ///
    /// # Errors
    /// `Internal` if y is no square of three channels: a defect in the caller.
    pub fn crop(&mut self, name: &str, picture: &Rc<Buffer>, params: &Rc<Buffer>, y: &Image) -> Result<()> {
        if y.shape() != Shape::new(y.width, y.width, 3) {
            bail!(Internal, "{name}: a crop is a square of 3 channels, y is {}", y.shape());
        }
        self.observed(&Op::Image { name, y }, |r| {
            let bindings = [("picture", picture), ("params", params), ("y", &y.rows.buffer)];
            let grid = Grid::x(y.shape().places().div_ceil(ELEMENT_WG));
            r.dispatch(name, &Kernel::new("image/crop"), &bindings, grid)
        })
    }
}
