//! Convolutions of 1 x 1.

use super::{Epilogue, Image, check_weights};
use crate::error::{Result, bail};
use crate::gpu::{Extent, Kernel};
use crate::ops::matmul::folded;
use crate::ops::{Matrix, Op, Recorder};

/// Places and channels of a tile.
const TILE: u32 = 4;
const WORKGROUP: u32 = 64;

impl Recorder<'_> {
    /// `y (H, W, N)` from `x (H, W, C)` and `w (N, C)`: a matmul over places. An image of one place makes it a fully connected
    /// layer.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn pointwise(&mut self, name: &str, x: &Image, w: &Matrix, epilogue: Epilogue<'_>, y: &Image) -> Result<()> {
        check_weights(name, w, y.rows.width, x.rows.width)?;
        epilogue.check(name, y.shape())?;
        if [x.height, x.width] != [y.height, y.width] {
            bail!(Internal, "{name}: y {} of x {}", y.shape(), x.shape());
        }
        self.observed(&Op::Image { name, y }, |r| {
            let mut bindings = vec![("x", &x.rows.buffer), ("w", &w.parts[0].qs)];
            let places = y.shape().places();
            let tiles = places.div_ceil(TILE) * y.rows.width.div_ceil(TILE);
            let lanes = r.tuning.pointwise_lanes(tiles, x.rows.width.div_ceil(4));
            let grid = folded((tiles * lanes).div_ceil(WORKGROUP), &r.gpu.caps);
            let Extent::Fixed(grid_x) = grid.x else { unreachable!("folded() makes fixed grids") };
            let k = Kernel::new("conv/pointwise")
                .set("WG", WORKGROUP)
                .set("LANES", lanes)
                .set("WORKGROUPS_X", grid_x)
                .set("PLACES", places)
                .set("C", x.rows.width);
            let k = epilogue.bind(k, y, &mut bindings);
            r.dispatch(name, &k, &bindings, grid)
        })
    }
}
