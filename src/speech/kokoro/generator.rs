//! From the decoder's output to audio: iSTFTNet (arXiv:2203.02395) with a harmonic source (arXiv:1904.12088).

use std::rc::Rc;

use super::pass::Pass;
use super::pool::Held;
use super::weights::{Generator, Linear, STAGES, SnakeBlock, Stage, StyleAt};
use crate::error::Result;
use crate::gpu::Buffer;
use crate::ops::{Curves, Product, SAMPLES, STFT_BINS, STFT_HOP, Series, Skip, Style, Taps, phase_bytes};

/// Slopes of leaky ReLUs below 0: before the stages, and at the end.
const STAGE_LEAK: f32 = 0.1;
const POST_LEAK: f32 = 0.01;

/// Where a block's result goes.
#[derive(Clone, Copy)]
enum Last {
    Store,
    /// `y = sum / 3`
    Third,
    /// `y += sum / 3`
    AddThird,
}

impl Pass<'_> {
    /// `har (120 T + 1, 22)`: magnitudes and phases of the source, of curves of 2 T rows.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::source`].
    pub fn harmonics(&mut self, curves: &Curves, g: &Generator) -> Result<Held<Series>> {
        let samples = self.length(curves.len.rows * SAMPLES)?;
        let source = self.source(curves, g)?;
        let har = self.series(&self.length(samples.rows / STFT_HOP + 1)?, 2 * STFT_BINS)?;
        self.r.stft("generator.stft", &source, &samples, &g.window, &har)?;
        Ok(har)
    }

    /// `(600 T)` f32
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::source`].
    pub fn source(&mut self, curves: &Curves, g: &Generator) -> Result<Held<Rc<Buffer>>> {
        let source = self.buffer(u64::from(curves.len.rows * SAMPLES) * 4)?;
        let phases = self.buffer(phase_bytes(curves.len.rows))?;
        self.r.source("generator.source", curves, &g.source.0, &g.source.1, &phases, &source)?;
        Ok(source)
    }

    /// Audio `(600 T)` f32 of `x (2 T, 512)`.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn generator(
        &mut self,
        x: Held<Series>,
        har: Held<Series>,
        g: &Generator,
        styles: &Rc<Buffer>,
        audio: &Rc<Buffer>,
    ) -> Result<()> {
        let mut x = x;
        for (i, stage) in g.stages.iter().enumerate() {
            self.cut();
            x = self.stage(i, &x, &har, stage, styles)?;
        }
        drop(har);
        self.cut();
        let post = self.post(&x, &g.post)?;
        drop(x);
        self.r.istft("generator.istft", &post, &g.basis, &g.window_sum, audio)
    }

    /// `(120 T + 1, 22)`
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn post(&mut self, x: &Series, post: &Linear) -> Result<Held<Series>> {
        let y = self.series(&x.len, post.w.rows)?;
        self.r.conv1d_of_leaky("generator.post", x, POST_LEAK, &post.w, Taps::same(7, 1), &post.bias, &y)?;
        Ok(y)
    }

    /// Stage `i`: ten, then six times as long; the last one has a row more.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn stage(
        &mut self,
        i: usize,
        x: &Series,
        har: &Series,
        stage: &Stage,
        styles: &Rc<Buffer>,
    ) -> Result<Held<Series>> {
        let (stride, cut, n) = STAGES[i];
        let is_last = i + 1 == STAGES.len();
        let len = self.length(x.len() * stride + u32::from(is_last))?;
        let taps = match is_last {
            true => Taps::ONE,
            false => Taps { kernel: 12, stride: 6, dilation: 1, pad: 3 },
        };
        let noise = self.series(&len, n)?;
        let conv = &stage.noise_conv;
        self.r.conv1d(
            &format!("generator.noise_conv{i}"),
            har,
            &conv.w,
            taps,
            Product::Bias(&conv.bias),
            noise.all(),
        )?;
        let source = self.series(&len, n)?;
        let name = format!("generator.noise_block{i}");
        let s = self.statistics(&name, &noise)?;
        self.snake_block(&name, &noise, &s, &stage.noise_block, styles, Last::Store, &source)?;
        drop(noise);
        let up = self.series(&len, n)?;
        let name = format!("generator.up{i}");
        self.r.conv1d_transposed(&name, x, STAGE_LEAK, &stage.up.w, cut, &stage.up.bias, &source, &up)?;
        drop(source);
        let y = self.series(&len, n)?;
        let s = self.statistics(&format!("generator.stage{i}"), &up)?;
        for (j, block) in stage.blocks.iter().enumerate() {
            let last = if j == 0 { Last::Third } else { Last::AddThird };
            self.snake_block(&format!("generator.block{i}.{j}"), &up, &s, block, styles, last, &y)?;
        }
        Ok(y)
    }

    /// `y (T, C)` of `x (T, C)`, whose statistics are known: `x += conv2(snake(norm2(conv1(snake(norm1(x))))))`, three times.
    fn snake_block(
        &mut self,
        name: &str,
        x: &Series,
        statistics: &Rc<Buffer>,
        b: &SnakeBlock,
        styles: &Rc<Buffer>,
        last: Last,
        y: &Series,
    ) -> Result<()> {
        let style = |at: StyleAt| Style { styles, first: at.0 };
        let h = self.series(&x.len, x.width())?;
        let c = self.series(&x.len, x.width())?;
        let mut made: Option<Held<Series>> = None;
        for (j, ([one, two], dilation)) in b.pairs.iter().zip([1, 3, 5]).enumerate() {
            self.cut();
            let name = |what: &str| format!("{name}.{what}.{j}");
            let x = made.as_deref().unwrap_or(x);
            let own = match j {
                0 => None,
                _ => Some(self.statistics(&name("norm1"), x)?),
            };
            let s = own.as_deref().unwrap_or(statistics);
            self.r.adain_snake(&name("norm1"), x, s, style(one.norm), &one.alpha, &h)?;
            let taps = Taps::same(b.kernel, dilation);
            self.r.conv1d(&name("conv1"), &h, &one.conv.w, taps, Product::Bias(&one.conv.bias), c.all())?;
            let s = self.statistics(&name("norm2"), &c)?;
            self.r.adain_snake(&name("norm2"), &c, &s, style(two.norm), &two.alpha, &h)?;
            let (bias, taps) = (&two.conv.bias, Taps::same(b.kernel, 1));
            let skip = |scale| Skip { series: x, repeat: 1, scale };
            let conv2 = name("conv2");
            if j + 1 == b.pairs.len() {
                let product = match last {
                    Last::Store => Product::Residual(bias, skip(1.0)),
                    Last::Third => Product::Residual(bias, skip(1.0 / 3.0)),
                    Last::AddThird => Product::ResidualAdd(bias, skip(1.0 / 3.0)),
                };
                self.r.conv1d(&conv2, &h, &two.conv.w, taps, product, y.all())?;
            } else if let Some(sum) = &made {
                self.r.conv1d(&conv2, &h, &two.conv.w, taps, Product::Add(bias), sum.all())?;
            } else {
                let sum = self.series(&x.len, x.width())?;
                self.r.conv1d(&conv2, &h, &two.conv.w, taps, Product::Residual(bias, skip(1.0)), sum.all())?;
                made = Some(sum);
            }
        }
        Ok(())
    }
}
