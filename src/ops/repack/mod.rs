//! Weights from the file's layout to the kernels', on the GPU.

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::{Matrix, n_groups};
use crate::error::Result;
use crate::formats::gguf::GgmlType;
use crate::gpu::{Buffer, Extent, Gpu, Grid, Kernel, Usage};

wgsl_exports!("repack");

/// Rows of a tensor as they are in the file, in a staging buffer.
pub struct StagedRows<'a> {
    pub staging: &'a Rc<Buffer>,
    /// Where in the buffer they start; any byte.
    pub at_bytes: u64,
    /// Which of the tensor's rows.
    pub rows: Range<u32>,
    /// Row `r` of the tensor is row `row0 + step * r` of the matrix.
    pub row0: u32,
    pub step: u32,
}

/// Moves rows; holds the kernel's parameters.
pub struct Repacker {
    params: Rc<Buffer>,
}

impl Repacker {
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu) -> Result<Self> {
        Ok(Repacker { params: gpu.buffer("repack_params", size_of::<RepackParams>() as u64, Usage::Uniform)? })
    }

    /// Move rows, all of one part of the matrix, to where kernels read them.
    ///
    /// # Errors
    /// As [`Gpu::run`].
    pub fn rows(&self, gpu: &Gpu, staged: &StagedRows<'_>, matrix: &Matrix, part: usize) -> Result<()> {
        let part = &matrix.parts[part];
        let n_rows = staged.rows.len() as u32;
        let values = RepackParams {
            src_byte: staged.at_bytes as u32,
            n_rows,
            dst_row: staged.row0 + staged.rows.start * staged.step - part.rows.start,
            dst_step: staged.step,
            k: matrix.cols,
            src_row_bytes: part.ty.row_bytes(u64::from(matrix.cols))? as u32,
        };
        gpu.write(&self.params, 0, &[values]);
        let kernel = Kernel::new("repack/rows").slot("REPACK", part.layout.repack);
        let mut bindings = vec![("src", staged.staging), ("params", &self.params), ("w_qs", &part.qs)];
        // The scales of I8 are a tensor of their own.
        if let Some(sc) = part.sc.as_ref().filter(|_| part.ty != GgmlType::I8) {
            bindings.push(("w_sc", sc));
        }
        let units = (n_groups(matrix.cols) * 16).div_ceil(part.layout.unit_elems);
        let grid = Grid {
            x: Extent::Fixed(units.div_ceil(ELEMENT_WG)),
            y: Extent::Fixed(n_rows.min(ROWS_Y)),
            z: n_rows.div_ceil(ROWS_Y),
        };
        gpu.run(&matrix.name, &kernel, &bindings, grid)
    }
}
