//! Convolutions and what image networks have around them: a kernel makes a sum, adds bias and residual, and applies the
//! activation. Shapes are fixed when a plan is recorded, since an image has one size. Convolutions are cross-correlations, and
//! what lies outside of an image is 0.
//!
//! Kernels read and write the vectors of four that hold a row's channels, and leave alone what pads it to 16. So images of
//! different widths can take turns in a buffer.

mod dense;
mod depthwise;
mod image;
mod mean;
mod pointwise;
#[cfg(all(test, feature = "hands"))]
mod reference;
#[cfg(all(test, feature = "hands"))]
mod tests;
mod upsample;

pub use image::{Image, Shape};

use super::{Matrix, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Binding, Kernel};

wgsl_exports!("conv");

/// What becomes of a sum: `y = activation(sum + bias + residual)`.
#[derive(Clone, Copy)]
pub struct Epilogue<'a> {
    /// `(N)`
    pub bias: &'a Vector,
    pub residual: Residual<'a>,
    pub activation: Activation<'a>,
}

/// What is added before the activation.
#[derive(Clone, Copy)]
pub enum Residual<'a> {
    None,
    /// An image of the output's shape.
    Same(&'a Image),
    /// The maximum of 2 x 2 places of an image of twice the size. The last channels, where it has fewer, get nothing.
    Pooled(&'a Image),
}

#[derive(Clone, Copy)]
pub enum Activation<'a> {
    None,
    Relu,
    /// `min(max(v, 0), 6)`
    Relu6,
    /// `v < 0 ? slope[channel] * v : v` (arXiv:1502.01852)
    Prelu(&'a Vector),
    /// The sigmoid of the first channels, this many; the others as they are.
    Sigmoid(u32),
}

/// How far a window moves from a place to the next, and what it is padded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub stride: u32,
    /// Rows of zeros above the image, columns left of it.
    pub before: [u32; 2],
}

impl Window {
    /// TensorFlow's SAME padding: `ceil(n / stride)` places along each axis; an odd place of padding is at the end.
    #[must_use]
    pub fn same(kernel: u32, stride: u32, x: Shape) -> Self {
        let before = |n: u32| ((n.div_ceil(stride) - 1) * stride + kernel).saturating_sub(n) / 2;
        Window { stride, before: [before(x.height), before(x.width)] }
    }

    /// Fails where y has more places than windows of x.
    fn check(&self, name: &str, x: &Image, y: &Image) -> Result<()> {
        if y.height > x.height.div_ceil(self.stride) || y.width > x.width.div_ceil(self.stride) {
            bail!(Internal, "{name}: y {} of x {} with stride {}", y.shape(), x.shape(), self.stride);
        }
        Ok(())
    }

    fn set(&self, kernel: Kernel, x: &Image, y: &Image) -> Kernel {
        kernel
            .set("IN_H", x.height)
            .set("IN_W", x.width)
            .set("OUT_H", y.height)
            .set("OUT_W", y.width)
            .set("CONV_STRIDE", self.stride)
            .set("PAD_Y", self.before[0])
            .set("PAD_X", self.before[1])
    }
}

/// The size of an image that a window with [`Window::same`] makes.
#[must_use]
pub fn strided(x: Shape, stride: u32, channels: u32) -> Shape {
    Shape::new(x.height.div_ceil(stride), x.width.div_ceil(stride), channels)
}

impl<'a> Activation<'a> {
    fn bind(&self, kernel: Kernel, bindings: &mut Vec<Binding<'a>>) -> Kernel {
        let (slot, kernel) = match *self {
            Activation::None => ("none", kernel),
            Activation::Relu => ("relu", kernel),
            Activation::Relu6 => ("relu6", kernel),
            Activation::Prelu(slope) => {
                bindings.push(("slope", &slope.buffer));
                ("prelu", kernel)
            }
            Activation::Sigmoid(n) => ("sigmoid", kernel.set("N_SIGMOID", n)),
        };
        kernel.slot("ACT", slot)
    }

    fn check(&self, name: &str, channels: u32) -> Result<()> {
        match *self {
            Activation::Prelu(slope) if slope.len != channels => {
                bail!(Internal, "{name}: {} slopes for {channels} channels", slope.len)
            }
            Activation::Sigmoid(n) if n > channels => {
                bail!(Internal, "{name}: the sigmoid of {n} channels, there are {channels}")
            }
            _ => Ok(()),
        }
    }
}

impl<'a> Epilogue<'a> {
    fn bind(&self, kernel: Kernel, y: &'a Image, bindings: &mut Vec<Binding<'a>>) -> Kernel {
        bindings.extend([("y", &y.rows.buffer), ("bias", &self.bias.buffer)]);
        let kernel = match self.residual {
            Residual::None => kernel.slot("RESIDUAL", "none"),
            Residual::Same(skip) => {
                bindings.push(("skip", &skip.rows.buffer));
                kernel.slot("RESIDUAL", "same")
            }
            Residual::Pooled(skip) => {
                bindings.push(("skip", &skip.rows.buffer));
                kernel.slot("RESIDUAL", "pooled").set("SKIP_C", skip.rows.width).set("SKIP_W", skip.width)
            }
        };
        self.activation.bind(kernel, bindings).set("N", y.rows.width)
    }

    fn check(&self, name: &str, y: Shape) -> Result<()> {
        if self.bias.len != y.channels {
            bail!(Internal, "{name}: a bias of {} for {} channels", self.bias.len, y.channels);
        }
        match self.residual {
            Residual::Same(skip) if skip.shape() != y => {
                bail!(Internal, "{name}: a residual of {} for y {y}", skip.shape())
            }
            Residual::Pooled(skip)
                if [skip.height, skip.width] != [2 * y.height, 2 * y.width] || skip.rows.width > y.channels =>
            {
                bail!(Internal, "{name}: {} does not pool into y {y}", skip.shape())
            }
            _ => self.activation.check(name, y.channels),
        }
    }
}

/// Fails unless the weights are floats in one buffer: `w (rows, cols)`.
fn check_weights(name: &str, w: &Matrix, rows: u32, cols: u32) -> Result<()> {
    let layouts: Vec<&str> = w.parts.iter().map(|p| p.layout.weight).collect();
    if [w.rows, w.cols] != [rows, cols] || layouts != ["f32"] {
        bail!(
            Internal,
            "{name}: weights ({}, {}) in parts {layouts:?}, ({rows}, {cols}) in one of f32 are needed",
            w.rows,
            w.cols
        );
    }
    Ok(())
}
