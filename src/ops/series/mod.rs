//! Series: activations over time, and what moves their rows.

#[cfg(all(test, feature = "speech"))]
mod tests;

use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::{Matrix, Recorder, Tensor, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Allocate, Buffer, Gpu, Grid, Kernel, Usage};

/// How many rows a series has. Kernels read it, so that pipelines serve every length.
#[derive(Clone)]
pub struct Length {
    pub rows: u32,
    buffer: Rc<Buffer>,
}

/// Activations `(T, width)`, T known when a plan is recorded. Kernels read and write the vectors of four that hold a row's elements; what
/// pads a row to 16 may be any number, and meets weights that are 0.
#[derive(Clone)]
pub struct Series {
    pub rows: Tensor,
    pub len: Length,
}

/// The columns of a series from `first` on, a multiple of 4.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    pub series: &'a Series,
    pub first: u32,
}

impl Length {
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, rows: u32) -> Result<Self> {
        let buffer = gpu.buffer("length", 4, Usage::Uniform)?;
        gpu.write(&buffer, 0, &[rows]);
        Ok(Length { rows, buffer })
    }

    /// What kernels read.
    #[must_use]
    pub fn buffer(&self) -> &Rc<Buffer> {
        &self.buffer
    }
}

impl Series {
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, label: &str, len: &Length, width: u32) -> Result<Self> {
        Ok(Series { rows: Tensor::new(from, label, len.rows, width)?, len: len.clone() })
    }

    #[must_use]
    pub fn len(&self) -> u32 {
        self.len.rows
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len.rows == 0
    }

    #[must_use]
    pub fn width(&self) -> u32 {
        self.rows.width
    }

    /// Vectors of four from one row to the next.
    #[must_use]
    pub fn pitch4(&self) -> u32 {
        self.rows.stride() / 4
    }

    /// The columns from `first` on.
    #[must_use]
    pub fn from(&self, first: u32) -> Columns<'_> {
        Columns { series: self, first }
    }

    /// All columns.
    #[must_use]
    pub fn all(&self) -> Columns<'_> {
        self.from(0)
    }
}

impl Columns<'_> {
    /// Fails unless `width` of them are there.
    pub(super) fn check(&self, name: &str, width: u32) -> Result<()> {
        if !self.first.is_multiple_of(4) || self.first + width > self.series.width() {
            bail!(Internal, "{name}: {width} columns from {} on, there are {}", self.first, self.series.width());
        }
        Ok(())
    }
}

/// Workgroups where each of `n` invocations works by itself. A device's 65,535 serve some minutes of sound.
pub(super) fn elements(n: u32) -> Grid {
    Grid::x(n.div_ceil(ELEMENT_WG))
}

/// Learned positions of an embedding, and what is added to all rows.
pub struct Positions<'a> {
    pub table: &'a Matrix,
    pub bias: &'a Vector,
}

impl Recorder<'_> {
    /// `y (T, C) = table[token]`, tables of codes; with positions, `+ positions[t] + bias`.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn embed_codes(
        &mut self,
        name: &str,
        tokens: &Rc<Buffer>,
        table: &Matrix,
        positions: Option<Positions<'_>>,
        y: &Series,
    ) -> Result<()> {
        let [part] = &table.parts[..] else { bail!(Internal, "{name}: a table in parts") };
        let Some(sc) = &part.sc else { bail!(Internal, "{name}: a table without scales") };
        if table.cols != y.width() || !y.width().is_multiple_of(16) {
            bail!(Internal, "{name}: rows of {} for y (T, {})", table.cols, y.width());
        }
        let k = Kernel::new("series/embed").set("C4", y.width() / 4);
        let mut bindings = vec![
            ("tokens", tokens),
            ("w_qs", &part.qs),
            ("w_sc", sc),
            ("x_len", y.len.buffer()),
            ("y", &y.rows.buffer),
        ];
        let k = match &positions {
            None => k.slot("POSITIONS", "none"),
            Some(p) => {
                let ([part], true) = (&p.table.parts[..], p.table.cols == table.cols && p.table.rows >= y.len()) else {
                    bail!(Internal, "{name}: positions ({}, {})", p.table.rows, p.table.cols);
                };
                let Some(sc) = &part.sc else { bail!(Internal, "{name}: positions without scales") };
                bindings.extend([("position_qs", &part.qs), ("position_sc", sc), ("bias", &p.bias.buffer)]);
                k.slot("POSITIONS", "learned")
            }
        };
        self.dispatch(name, &k, &bindings, elements(y.len() * y.width() / 4))
    }

    /// The same `width` elements of `x` from `first` on, in all rows of `y`.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn fill(&mut self, name: &str, x: &Rc<Buffer>, first: u32, width: u32, y: Columns<'_>) -> Result<()> {
        y.check(name, width)?;
        let s = y.series;
        let k = Kernel::new("series/fill")
            .set("X_COL4", first / 4)
            .set("C4", width / 4)
            .set("Y_PITCH", s.pitch4())
            .set("Y_COL4", y.first / 4);
        let bindings = [("x", x), ("y", &s.rows.buffer), ("y_len", s.len.buffer())];
        self.dispatch(name, &k, &bindings, elements(s.len() * width / 4))
    }

    /// `y (T', .) = x[rows]`: the columns of x, at the beginning of y's rows.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn expand(&mut self, name: &str, x: &Series, rows: &Rc<Buffer>, y: &Series) -> Result<()> {
        y.all().check(name, x.width())?;
        let c4 = x.width().div_ceil(4);
        let k = Kernel::new("series/expand").set("C4", c4).set("X_PITCH", x.pitch4()).set("Y_PITCH", y.pitch4());
        let bindings = [("x", &x.rows.buffer), ("rows", rows), ("y", &y.rows.buffer), ("y_len", y.len.buffer())];
        self.dispatch(name, &k, &bindings, elements(y.len() * c4))
    }

    /// `y (T)`: the sum of the sigmoids of each row of `x (T, N)`.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn sum_sigmoids(&mut self, name: &str, x: &Series, y: &Rc<Buffer>) -> Result<()> {
        let k = Kernel::new("series/sum_sigmoids").set("N", x.width()).set("X_PITCH", x.rows.stride());
        let bindings = [("x", &x.rows.buffer), ("x_len", x.len.buffer()), ("y", y)];
        self.dispatch(name, &k, &bindings, elements(x.len()))
    }
}
