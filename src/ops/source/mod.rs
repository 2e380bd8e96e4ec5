//! The source of a voice: curves of pitch and loudness, and the harmonics of the pitch.

#[cfg(all(test, feature = "speech"))]
mod tests;

use std::rc::Rc;

use super::series::elements;
use super::{Columns, Length, Matrix, Part, Recorder, Series, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Buffer, Grid, Kernel};

wgsl_exports!("source");

/// Pitch in Hz and loudness, `(T, 2)`, two f32 a row, each for 300 samples.
#[derive(Clone)]
pub struct Curves {
    pub values: Rc<Buffer>,
    pub len: Length,
}

impl Curves {
    /// Bytes for `rows` rows.
    #[must_use]
    pub fn bytes(rows: u32) -> u64 {
        u64::from(rows) * 8
    }
}

/// Bytes of the phases of `rows` rows of curves.
#[must_use]
pub fn phase_bytes(rows: u32) -> u64 {
    u64::from(rows) * u64::from(HARMONICS_PITCH) * 4
}

impl Recorder<'_> {
    /// Pitch of `f0 (T, C)` and loudness of `noise (T, C)`, by `w (2, C)` and a bias each.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn curves(
        &mut self,
        name: &str,
        f0: &Series,
        noise: &Series,
        w: &Matrix,
        bias: &Vector,
        y: &Curves,
    ) -> Result<()> {
        let shapes = [f0, noise].map(|s| [s.len(), s.width()]);
        let ([Part { qs, sc: Some(sc), .. }], true, true) =
            (&w.parts[..], shapes == [[y.len.rows, w.cols]; 2], w.rows == 2 && w.cols.is_multiple_of(16))
        else {
            bail!(Internal, "{name}: curves of {shapes:?} by w ({}, {})", w.rows, w.cols);
        };
        let bindings = [
            ("x", &f0.rows.buffer),
            ("second", &noise.rows.buffer),
            ("x_len", f0.len.buffer()),
            ("w_qs", qs),
            ("w_sc", sc),
            ("bias", &bias.buffer),
            ("y", &y.values),
        ];
        let k = Kernel::new("source/curves").set("C4", w.cols / 4);
        self.dispatch(name, &k, &bindings, Grid::x(f0.len().div_ceil(CURVES_WG / CURVES_LANES)))
    }

    /// The curves `(2 T, 2)` at half their rate, by a convolution of kernel 3 and stride 2 each, `w (2, 3)`: to two columns of two series
    /// `(T, .)`.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn halved_curves(
        &mut self,
        name: &str,
        curves: &Curves,
        w: &Vector,
        bias: &Vector,
        [a, b]: [Columns<'_>; 2],
    ) -> Result<()> {
        a.check(name, 2)?;
        b.check(name, 2)?;
        if [2 * a.series.len(), 2 * b.series.len()] != [curves.len.rows; 2] || w.len != 6 {
            bail!(Internal, "{name}: {} and {} rows of {}", a.series.len(), b.series.len(), curves.len.rows);
        }
        let bindings = [
            ("x", &curves.values),
            ("w", &w.buffer),
            ("bias", &bias.buffer),
            ("y_len", a.series.len.buffer()),
            ("y", &a.series.rows.buffer),
            ("other", &b.series.rows.buffer),
        ];
        let k = Kernel::new("source/halve")
            .set("Y_PITCH", a.series.pitch4())
            .set("Y_COL4", a.first / 4)
            .set("OTHER_PITCH", b.series.pitch4())
            .set("OTHER_COL4", b.first / 4);
        self.dispatch(name, &k, &bindings, elements(a.series.len()))
    }

    /// `source (300 T)` f32: the harmonics of the pitch, weighted by `w (9)`, through tanh. `phases` is scratch of [`phase_bytes`].
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn source(
        &mut self,
        name: &str,
        curves: &Curves,
        w: &Vector,
        bias: &Vector,
        phases: &Rc<Buffer>,
        source: &Rc<Buffer>,
    ) -> Result<()> {
        let len = curves.len.buffer();
        let bindings = [("x", &curves.values), ("x_len", len), ("y", phases)];
        self.dispatch(&format!("{name}.phases"), &Kernel::new("source/phases"), &bindings, Grid::x(1))?;
        let bindings = [
            ("x", &curves.values),
            ("phases", phases),
            ("x_len", len),
            ("w", &w.buffer),
            ("bias", &bias.buffer),
            ("y", source),
        ];
        self.dispatch(name, &Kernel::new("source/samples"), &bindings, elements(curves.len.rows * SAMPLES))
    }
}
