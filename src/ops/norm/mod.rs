//! Norms of series: of rows, and of channels over time with a style.

#[cfg(all(test, feature = "speech"))]
mod tests;

use std::rc::Rc;

use super::series::elements;
use super::{Columns, Matrix, Recorder, Series, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Buffer, Grid, Kernel};

wgsl_exports!("norm");

/// The epsilon of instance norms.
const INSTANCE_EPS: f32 = 1e-5;
/// Channels whose statistics a workgroup makes.
const STATISTICS_CHANNELS: u32 = 16;

/// Scale and shift of a norm in a vector of styles: `1 + gamma` and `beta`, C elements each, one after the other from `first` on.
#[derive(Clone, Copy)]
pub struct Style<'a> {
    pub styles: &'a Rc<Buffer>,
    pub first: u32,
}

/// What is done with a row's norm.
#[derive(Clone, Copy)]
pub enum Affine<'a> {
    Weights { weight: &'a Vector, bias: &'a Vector },
    Style(Style<'a>),
}

impl Recorder<'_> {
    /// `y (T, C) = layer_norm(x)`, with a leaky ReLU of `leak` after it or none.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit, or there is no such variant: a defect in the forward pass.
    pub fn layer_norm(
        &mut self,
        name: &str,
        x: &Series,
        affine: Affine<'_>,
        eps: f32,
        leak: Option<f32>,
        y: Columns<'_>,
    ) -> Result<()> {
        let c = x.width();
        y.check(name, c)?;
        if y.first != 0 || !c.is_multiple_of(16) || y.series.len() != x.len() {
            bail!(Internal, "{name}: y ({}, {}) of x ({}, {c})", y.series.len(), y.series.width(), x.len());
        }
        let k = Kernel::new("norm/layer");
        let mut bindings = vec![("x", &x.rows.buffer), ("y", &y.series.rows.buffer)];
        let k = match &affine {
            Affine::Weights { weight, bias } => {
                bindings.extend([("norm_weight", &weight.buffer), ("norm_bias", &bias.buffer)]);
                k.slot("AFFINE", "weights")
            }
            Affine::Style(style) => {
                bindings.push(("style", style.styles));
                k.slot("AFFINE", "style").set("STYLE", style.first)
            }
        };
        let k = match leak {
            None => k.slot("ACT", "none"),
            Some(leak) => k.slot("ACT", "leaky").set("LEAK", leak),
        };
        let k = k.set("WG", 64).set("C", c).set("EPS", eps).set("Y_PITCH", y.series.pitch4());
        self.dispatch(name, &k, &bindings, Grid::x(x.len()))
    }

    /// Means and inverse deviations of the channels of `x (T, C)` over time: `statistics`, twice C padded to 4.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn statistics(&mut self, name: &str, x: &Series, statistics: &Rc<Buffer>) -> Result<()> {
        let k = Kernel::new("norm/statistics")
            .set("X_PITCH", x.pitch4())
            .set("C4", x.width().div_ceil(4))
            .set("EPS", INSTANCE_EPS);
        let bindings = [("x", &x.rows.buffer), ("x_len", x.len.buffer()), ("y", statistics)];
        self.dispatch(name, &k, &bindings, Grid::x(x.width().div_ceil(STATISTICS_CHANNELS)))
    }

    /// `y = leaky(norm(x))`, both `(T, C)`: instance norm with a style.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn adain_leaky(
        &mut self,
        name: &str,
        x: &Series,
        statistics: &Rc<Buffer>,
        style: Style<'_>,
        leak: f32,
        y: &Series,
    ) -> Result<()> {
        let k = Kernel::new("norm/adain").slot("ACT", "leaky").set("LEAK", leak);
        self.adain(name, k, x, statistics, style, None, y)
    }

    /// `y = snake(norm(x))`, both `(T, C)`: `v + sin(alpha v)^2 / alpha`.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn adain_snake(
        &mut self,
        name: &str,
        x: &Series,
        statistics: &Rc<Buffer>,
        style: Style<'_>,
        alpha: &Vector,
        y: &Series,
    ) -> Result<()> {
        self.adain(name, Kernel::new("norm/adain").slot("ACT", "snake"), x, statistics, style, Some(alpha), y)
    }

    fn adain(
        &mut self,
        name: &str,
        k: Kernel,
        x: &Series,
        statistics: &Rc<Buffer>,
        style: Style<'_>,
        alpha: Option<&Vector>,
        y: &Series,
    ) -> Result<()> {
        if [x.len(), x.width()] != [y.len(), y.width()] {
            bail!(Internal, "{name}: y ({}, {}) of x ({}, {})", y.len(), y.width(), x.len(), x.width());
        }
        let mut bindings = vec![
            ("x", &x.rows.buffer),
            ("x_len", x.len.buffer()),
            ("statistics", statistics),
            ("style", style.styles),
            ("y", &y.rows.buffer),
        ];
        if let Some(alpha) = alpha {
            bindings.push(("alpha", &alpha.buffer));
        }
        let k = k.set("C", x.width()).set("X_PITCH", x.pitch4()).set("STYLE", style.first);
        let invocations = x.len().div_ceil(ADAIN_ROWS) * x.width().div_ceil(4);
        self.dispatch(name, &k, &bindings, elements(invocations))
    }

    /// `y (2 T, C)` of `x (T, C)`: instance norm with a style, leaky ReLU, and a transposed convolution of each channel by itself, of kernel
    /// 3 and stride 2, `taps (3, C)`.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn adain_pool(
        &mut self,
        name: &str,
        x: &Series,
        statistics: &Rc<Buffer>,
        style: Style<'_>,
        leak: f32,
        (taps, bias): (&Matrix, &Vector),
        y: &Series,
    ) -> Result<()> {
        let fits = [2 * x.len(), x.width()] == [y.len(), y.width()] && [taps.rows, taps.cols] == [3, x.width()];
        let ([part], true) = (&taps.parts[..], fits) else {
            bail!(Internal, "{name}: y ({}, {}) of x ({}, {})", y.len(), y.width(), x.len(), x.width());
        };
        let bindings = [
            ("x", &x.rows.buffer),
            ("x_len", x.len.buffer()),
            ("statistics", statistics),
            ("style", style.styles),
            ("taps", &part.qs),
            ("bias", &bias.buffer),
            ("y", &y.rows.buffer),
        ];
        let k = Kernel::new("norm/adain_pool").set("C", x.width()).set("X_PITCH", x.pitch4());
        let k = k.set("STYLE", style.first).set("LEAK", leak);
        self.dispatch(name, &k, &bindings, elements(x.len() * x.width().div_ceil(4)))
    }
}
