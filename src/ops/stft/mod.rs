//! Short-time Fourier transforms of 20 samples, 5 apart.

#[cfg(all(test, feature = "speech"))]
mod tests;

use std::rc::Rc;

use super::series::elements;
use super::{Length, Matrix, Recorder, Series, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Buffer, Grid, Kernel};

wgsl_exports!("stft");

impl Recorder<'_> {
    /// `y (S / 5 + 1, 11 + 11)`, magnitudes and phases of `x (S)`, whose ends are reflected. Where a real
    /// bin is negative, the phase is pi, in the last one -pi.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn stft(&mut self, name: &str, x: &Rc<Buffer>, len: &Length, window: &Vector, y: &Series) -> Result<()> {
        let fits = y.len() == len.rows / STFT_HOP + 1 && y.width() == 2 * STFT_BINS && len.rows > STFT_SIZE / 2;
        if !fits || window.len != STFT_SIZE {
            bail!(Internal, "{name}: y ({}, {}) of {} samples", y.len(), y.width(), len.rows);
        }
        let bindings = [
            ("x", x),
            ("x_len", len.buffer()),
            ("window", &window.buffer),
            ("y", &y.rows.buffer),
            ("y_len", y.len.buffer()),
        ];
        let k = Kernel::new("stft/forward").set("Y_PITCH", y.rows.stride());
        self.dispatch(name, &k, &bindings, elements(y.len() * STFT_BINS))
    }

    /// Audio `y (S)` of `x (S / 5 + 1, 22)`: logarithms of magnitudes, and what the sines are phases of. `basis (22, 20)` has the window; the
    /// first samples are divided by `window_sum (20)`.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn istft(&mut self, name: &str, x: &Series, basis: &Matrix, window_sum: &Vector, y: &Rc<Buffer>) -> Result<()> {
        let samples = (x.len() - 1) * STFT_HOP;
        let fits = x.width() == 2 * STFT_BINS
            && [basis.rows, basis.cols, window_sum.len] == [2 * STFT_BINS, STFT_SIZE, STFT_SIZE]
            && y.bytes() >= u64::from(samples) * 4;
        let ([part], true) = (&basis.parts[..], fits) else {
            bail!(Internal, "{name}: {samples} samples of x ({}, {})", x.len(), x.width());
        };
        let bindings = [
            ("x", &x.rows.buffer),
            ("x_len", x.len.buffer()),
            ("basis", &part.qs),
            ("window_sum", &window_sum.buffer),
            ("y", y),
        ];
        let k = Kernel::new("stft/inverse").set("X_PITCH", x.rows.stride());
        let k = k.set("BASIS_PITCH", super::n_groups(basis.cols) * 16);
        self.dispatch(name, &k, &bindings, Grid::x(samples.div_ceil(INVERSE_SAMPLES)))
    }
}
