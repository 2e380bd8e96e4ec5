//! What all blocks of the forward pass are recorded with.

use std::rc::Rc;

use super::pool::{Held, Pool};
use super::weights::{Block, Linear, Lstm, StyleAt};
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Plan};
use crate::ops::{BatchBuffers, Columns, Length, Phase, Product, Recorder, Series, Skip, Style, Taps};

/// The slope of leaky ReLUs below 0 in residual blocks and in the text encoder.
pub const LEAK: f32 = 0.2;

/// Records blocks, in sections of a limited length: systems end what keeps a GPU for seconds.
pub struct Pass<'a> {
    pub gpu: &'a Gpu,
    pub r: Recorder<'a>,
    pool: &'a Pool,
    sections: Vec<Plan>,
}

impl<'a> Pass<'a> {
    #[must_use]
    pub fn new(gpu: &'a Gpu, batch: &'a BatchBuffers, pool: &'a Pool) -> Self {
        Pass { gpu, r: Recorder::new(gpu, batch, Phase::Decode { far: false }), pool, sections: Vec::new() }
    }

    /// What is recorded from here on is another section.
    pub fn cut(&mut self) {
        self.sections.push(std::mem::take(&mut self.r.plan));
    }

    /// The sections, in order.
    #[must_use]
    pub fn finish(mut self) -> Vec<Plan> {
        self.cut();
        self.sections
    }

    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn length(&self, rows: u32) -> Result<Length> {
        Length::new(self.gpu, rows)
    }

    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn series(&self, len: &Length, width: u32) -> Result<Held<Series>> {
        self.pool.series(self.gpu, len, width)
    }

    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn buffer(&self, bytes: u64) -> Result<Held<Rc<Buffer>>> {
        self.pool.buffer(self.gpu, bytes)
    }

    /// `y (T, N) = w x + bias`
    ///
    /// # Errors
    /// As [`Recorder::conv1d`].
    pub fn linear(&mut self, name: &str, x: &Series, l: &Linear) -> Result<Held<Series>> {
        self.conv(name, x, l, Taps::ONE)
    }

    /// `y (T, N) = conv(x) + bias`, as long as x.
    ///
    /// # Errors
    /// As [`Recorder::conv1d`].
    pub fn conv(&mut self, name: &str, x: &Series, l: &Linear, taps: Taps) -> Result<Held<Series>> {
        let y = self.series(&x.len, l.w.rows)?;
        self.r.conv1d(name, x, &l.w, taps, Product::Bias(&l.bias), y.all())?;
        Ok(y)
    }

    /// `(T, 512)`
    ///
    /// # Errors
    /// As [`Recorder::lstm`].
    pub fn lstm(&mut self, name: &str, x: &Series, l: &Lstm) -> Result<Held<Series>> {
        let gates = self.linear(&format!("{name}.input"), x, &l.input)?;
        let y = self.series(&x.len, 2 * l.recurrent.hidden)?;
        self.r.lstm(name, &gates, &l.recurrent, &y)?;
        Ok(y)
    }

    /// Means and inverse deviations of channels over time.
    ///
    /// # Errors
    /// As [`Recorder::statistics`].
    pub fn statistics(&mut self, name: &str, x: &Series) -> Result<Held<Rc<Buffer>>> {
        let s = self.buffer(u64::from(x.width().next_multiple_of(16)) * 8)?;
        self.r.statistics(&format!("{name}.statistics"), x, &s)?;
        Ok(s)
    }

    /// `y (T, N) = (conv2(act(norm2(conv1(act(norm1(x)))))) + shortcut(x)) / sqrt(2)`, in columns of y from the first on; with a pool after
    /// the first activation, `(2 T, N)`. The statistics are those of x.
    ///
    /// # Errors
    /// As [`Recorder::conv1d`].
    pub fn block(
        &mut self,
        name: &str,
        x: &Series,
        statistics: &Rc<Buffer>,
        b: &Block,
        styles: &Rc<Buffer>,
        y: Columns<'_>,
    ) -> Result<()> {
        let style = |at: StyleAt| Style { styles, first: at.0 };
        let repeat = if b.pool.is_some() { 2 } else { 1 };
        let h = self.series(&y.series.len, x.width())?;
        let norm1 = format!("{name}.norm1");
        match &b.pool {
            None => self.r.adain_leaky(&norm1, x, statistics, style(b.norm1), LEAK, &h)?,
            Some((taps, bias)) => {
                self.r.adain_pool(&norm1, x, statistics, style(b.norm1), LEAK, (taps, bias), &h)?;
            }
        }
        let c = self.conv(&format!("{name}.conv1"), &h, &b.conv1, Taps::same(3, 1))?;
        drop(h);
        let s = self.statistics(&format!("{name}.norm2"), &c)?;
        let h = self.series(&c.len, b.width)?;
        self.r.adain_leaky(&format!("{name}.norm2"), &c, &s, style(b.norm2), LEAK, &h)?;
        drop(c);
        let scale = std::f32::consts::FRAC_1_SQRT_2;
        let shortcut = match &b.shortcut {
            None => None,
            Some(w) => {
                // A convolution of one tap commutes with repeating rows.
                let short = self.series(&x.len, b.width)?;
                self.r.conv1d(&format!("{name}.shortcut"), x, w, Taps::ONE, Product::Store, short.all())?;
                Some(short)
            }
        };
        let skip = Skip { series: shortcut.as_deref().unwrap_or(x), repeat, scale };
        let product = Product::Residual(&b.conv2.bias, skip);
        self.r.conv1d(&format!("{name}.conv2"), &h, &b.conv2.w, Taps::same(3, 1), product, y)
    }
}
