//! Images: activations whose rows are places.

use crate::error::Result;
use crate::gpu::Allocate;
use crate::ops::Tensor;

/// Height, width, channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub height: u32,
    pub width: u32,
    pub channels: u32,
}

/// Activations of an image: `(height width, channels)`, top to bottom and left to right.
#[derive(Clone)]
pub struct Image {
    pub rows: Tensor,
    pub height: u32,
    pub width: u32,
}

impl Shape {
    #[must_use]
    pub fn new(height: u32, width: u32, channels: u32) -> Self {
        Shape { height, width, channels }
    }

    #[must_use]
    pub fn places(self) -> u32 {
        self.height * self.width
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}, {}, {})", self.height, self.width, self.channels)
    }
}

impl Image {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, label: &str, shape: Shape) -> Result<Self> {
        Ok(Image::of(Tensor::new(from, label, shape.places(), shape.channels)?, shape))
    }

    /// The image in these rows.
    #[must_use]
    pub fn of(rows: Tensor, shape: Shape) -> Self {
        Image { rows, height: shape.height, width: shape.width }
    }

    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape::new(self.height, self.width, self.rows.width)
    }
}
