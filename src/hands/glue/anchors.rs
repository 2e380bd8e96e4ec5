//! The anchors of the palm network.

use super::{PALM_SIDE, Point2};

/// Strides of the layers; those of equal stride share a grid.
const STRIDES: [u32; 4] = [8, 16, 16, 16];
/// `aspect_ratios` 1, and `interpolated_scale_aspect_ratio` by its default of 1.
const ANCHORS_A_LAYER: usize = 2;

struct Grid {
    cells: usize,
    anchors_a_cell: usize,
}

impl Grid {
    const fn of_stride(stride: u32) -> Self {
        let (mut layers, mut i) = (0, 0);
        while i < STRIDES.len() {
            layers += (STRIDES[i] == stride) as usize;
            i += 1;
        }
        Grid { cells: (PALM_SIDE / stride) as usize, anchors_a_cell: ANCHORS_A_LAYER * layers }
    }

    const fn n_anchors(&self) -> usize {
        self.cells * self.cells * self.anchors_a_cell
    }
}

const GRIDS: [Grid; 2] = [Grid::of_stride(8), Grid::of_stride(16)];

/// Rows of the palm network's outputs: 2016.
pub const N_ANCHORS: usize = GRIDS[0].n_anchors() + GRIDS[1].n_anchors();

/// The centre of an anchor, relative to the network's input; `None` from [`N_ANCHORS`] on. Its size is 1
/// (`fixed_anchor_size`).
///
/// A cell of the 24 x 24 grid has 2 anchors and a cell of the 12 x 12 grid has 6, all at its centre; row by row, the grid
/// of stride 8 first. `tflite/ssd_anchors_calculator.cc`.
#[must_use]
pub fn anchor(mut index: usize) -> Option<Point2> {
    for grid in &GRIDS {
        if index < grid.n_anchors() {
            let cell = index / grid.anchors_a_cell;
            let place = |i: usize| (i as f64 + 0.5) / grid.cells as f64;
            return Some(Point2 { x: place(cell % grid.cells), y: place(cell / grid.cells) });
        }
        index -= grid.n_anchors();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the calculator makes them: layer after layer, cell after cell.
    #[test]
    fn anchors_are_those_of_the_calculator() {
        let mut want = Vec::new();
        let mut layer = 0;
        while layer < STRIDES.len() {
            let same = STRIDES[layer..].iter().take_while(|&&s| s == STRIDES[layer]).count();
            let cells = PALM_SIDE / STRIDES[layer];
            for row in 0..cells {
                for column in 0..cells {
                    for _ in 0..ANCHORS_A_LAYER * same {
                        let place = |i: u32| (f64::from(i) + 0.5) / f64::from(cells);
                        want.push(Point2 { x: place(column), y: place(row) });
                    }
                }
            }
            layer += same;
        }
        assert_eq!(want.len(), 2016);
        assert_eq!((0..).map_while(anchor).collect::<Vec<_>>(), want);
        assert_eq!(N_ANCHORS, 2016);
    }
}
