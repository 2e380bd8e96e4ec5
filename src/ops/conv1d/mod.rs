//! Convolutions over time, and what else is a matmul of all rows: a kernel of one tap, and a transposed convolution, whose product has
//! several rows of the result side by side.

#[cfg(all(test, feature = "speech"))]
mod reference;
#[cfg(all(test, feature = "speech"))]
mod tests;

use super::recorder::ELEMENT_WG;
use super::{Columns, Matrix, Part, Recorder, Series, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Binding, Extent, Grid, Kernel};

wgsl_exports!("conv1d");

/// Which rows of x a row of y sees: tap k of row t sees row `stride t + dilation k - pad`, zeros before the first and after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taps {
    pub kernel: u32,
    pub stride: u32,
    pub dilation: u32,
    pub pad: u32,
}

/// What becomes of a sum.
#[derive(Clone, Copy)]
pub enum Product<'a> {
    Store,
    /// `y = sum + bias`
    Bias(&'a Vector),
    /// `y = gelu(sum + bias)`
    Gelu(&'a Vector),
    /// `y += sum + bias`
    Add(&'a Vector),
    /// `y = (sum + bias + residual) scale`
    Residual(&'a Vector, Skip<'a>),
    /// `y += (sum + bias + residual) scale`
    ResidualAdd(&'a Vector, Skip<'a>),
}

/// What is added to a sum.
#[derive(Clone, Copy)]
pub struct Skip<'a> {
    pub series: &'a Series,
    /// Rows of y for each of its rows.
    pub repeat: u32,
    pub scale: f32,
}

impl Taps {
    /// A matmul.
    pub const ONE: Taps = Taps { kernel: 1, stride: 1, dilation: 1, pad: 0 };

    /// As many rows as before, for an odd kernel.
    #[must_use]
    pub fn same(kernel: u32, dilation: u32) -> Self {
        Taps { kernel, stride: 1, dilation, pad: dilation * (kernel - 1) / 2 }
    }

    /// Rows of y, of `rows` rows of x with as much padding after them as before.
    #[must_use]
    pub fn rows(&self, rows: u32) -> u32 {
        (rows + 2 * self.pad).saturating_sub(self.dilation * (self.kernel - 1) + 1) / self.stride + 1
    }
}

impl Recorder<'_> {
    /// `y (T', N) = product(conv(x))` from `x (T, C)` and `w (N, kernel C)`, in rows of which each tap's channels are padded to 16 with zeros.
    /// Weights are codes.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn conv1d(
        &mut self,
        name: &str,
        x: &Series,
        w: &Matrix,
        taps: Taps,
        product: Product<'_>,
        y: Columns<'_>,
    ) -> Result<()> {
        y.check(name, w.rows)?;
        let s = y.series;
        let (slot, bias, skip) = match product {
            Product::Store => ("store", None, None),
            Product::Bias(b) => ("bias", Some(b), None),
            Product::Gelu(b) => ("bias_gelu", Some(b), None),
            Product::Residual(b, skip) => ("residual", Some(b), Some(skip)),
            Product::Add(b) => ("add", Some(b), None),
            Product::ResidualAdd(b, skip) => ("residual_add", Some(b), Some(skip)),
        };
        let k = Kernel::new(self.conv1d_kernel()).slot("WEIGHT", "i8").slot("INPUT", "plain").slot("OUTPUT", slot);
        let k = k.set("Y_PITCH", s.pitch4()).set("Y_COL4", y.first / 4);
        let mut bindings = Vec::new();
        if let Some(bias) = bias {
            bindings.push(("bias", &bias.buffer));
        }
        let k = match &skip {
            None => k,
            Some(skip) => {
                if skip.series.len() * skip.repeat < s.len() || skip.series.width() < w.rows {
                    bail!(Internal, "{name}: a residual of ({}, {})", skip.series.len(), skip.series.width());
                }
                bindings.push(("residual", &skip.series.rows.buffer));
                let k = k.set("RESIDUAL_PITCH", skip.series.pitch4()).set("REPEAT", skip.repeat);
                k.set("RESIDUAL_SCALE", skip.scale)
            }
        };
        self.conv1d_tile(name, k, x, w, taps, s.len(), s, bindings)
    }

    /// `y (T', N) = conv(leaky(x)) + bias` with weights of F32.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn conv1d_of_leaky(
        &mut self,
        name: &str,
        x: &Series,
        leak: f32,
        w: &Matrix,
        taps: Taps,
        bias: &Vector,
        y: &Series,
    ) -> Result<()> {
        y.all().check(name, w.rows)?;
        let k = Kernel::new(self.conv1d_kernel()).slot("WEIGHT", "f32").slot("INPUT", "leaky").slot("OUTPUT", "bias");
        let k = k.set("LEAK", leak).set("Y_PITCH", y.pitch4()).set("Y_COL4", 0);
        self.conv1d_tile(name, k, x, w, taps, y.len(), y, vec![("bias", &bias.buffer)])
    }

    /// `y (T', N) = transposed_conv(leaky(x)) + bias + residual`, of a kernel that is twice its stride. `w (stride N, 2 C)`: its row
    /// `p N + n` makes channel n of place `stride q + p`, from rows q - 1 and q of x. The first `cut` places are left out. Where y has a
    /// row more than there are, one goes before the others, by reflection.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn conv1d_transposed(
        &mut self,
        name: &str,
        x: &Series,
        leak: f32,
        w: &Matrix,
        cut: u32,
        bias: &Vector,
        residual: &Series,
        y: &Series,
    ) -> Result<()> {
        let (n, stride) = (y.width(), w.rows / y.width());
        let mirror = y.len().checked_sub(stride * x.len());
        let (Some(mirror @ 0..=1), true, true) = (mirror, w.rows == stride * n && n.is_multiple_of(16), cut <= stride)
        else {
            bail!(Internal, "{name}: y ({}, {n}) of x ({}, {}) by {} rows", y.len(), x.len(), x.width(), w.rows);
        };
        if [residual.len(), residual.width()] != [y.len(), n] {
            bail!(Internal, "{name}: a residual of ({}, {})", residual.len(), residual.width());
        }
        let k = Kernel::new(self.conv1d_kernel()).slot("WEIGHT", "f32").slot("INPUT", "leaky").slot("OUTPUT", "spread");
        let k = k.set("LEAK", leak).set("UP_N", n).set("CUT", cut as i32 - mirror as i32).set("MIRROR", mirror);
        let taps = Taps { kernel: 2, stride: 1, dilation: 1, pad: 1 };
        let bindings = vec![("bias", &bias.buffer), ("residual", &residual.rows.buffer)];
        self.conv1d_tile(name, k, x, w, taps, x.len() + 1, y, bindings)
    }

    fn conv1d_kernel(&self) -> &'static str {
        if self.tuning.software { "conv1d/direct" } else { "conv1d/tile" }
    }

    /// `rows` rows of the product.
    fn conv1d_tile<'b>(
        &mut self,
        name: &str,
        k: Kernel,
        x: &'b Series,
        w: &'b Matrix,
        taps: Taps,
        rows: u32,
        y: &'b Series,
        mut bindings: Vec<Binding<'b>>,
    ) -> Result<()> {
        let [Part { qs, sc, .. }] = &w.parts[..] else { bail!(Internal, "{name}: weights in parts") };
        let c = w.cols / taps.kernel;
        if c * taps.kernel != w.cols || !c.is_multiple_of(16) || c > x.rows.stride() || rows > taps.rows(x.len()) {
            bail!(
                Internal,
                "{name}: {rows} rows of x ({}, {}) by w ({}, {}) and {taps:?}",
                x.len(),
                x.width(),
                w.rows,
                w.cols
            );
        }
        bindings.extend([("x", &x.rows.buffer), ("y", &y.rows.buffer), ("w_qs", qs)]);
        bindings.extend([("x_len", x.len.buffer()), ("y_len", y.len.buffer())]);
        if let Some(sc) = sc {
            bindings.push(("w_sc", sc));
        }
        let k = k
            .set("KERNEL", taps.kernel)
            .set("CONV_STRIDE", taps.stride)
            .set("DILATION", taps.dilation)
            .set("PAD", taps.pad)
            .set("C16", c / 16)
            .set("X_PITCH", x.pitch4())
            .set("N", w.rows);
        let [channels, tile_rows] = if self.tuning.software { [4 * ELEMENT_WG, DIRECT_T] } else { [CONV_N, CONV_T] };
        let grid = Grid::xy(w.rows.div_ceil(channels), Extent::Fixed(rows.div_ceil(tile_rows)));
        self.dispatch(name, &k, &bindings, grid)
    }
}
