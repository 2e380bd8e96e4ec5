//! From frames to what the generator takes: pitch, loudness, and the decoder (arXiv:2306.07691).

use std::rc::Rc;

use super::pass::Pass;
use super::pool::Held;
use super::weights::{Block, DECODED, Decoder, ENCODED, Prosody};
use crate::error::Result;
use crate::gpu::Buffer;
use crate::ops::{Curves, Product, Series, Taps};

impl Pass<'_> {
    /// Pitch and loudness, twice a frame, of `en (T, 640)`.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn curves(&mut self, en: &Series, p: &Prosody, styles: &Rc<Buffer>) -> Result<Held<Curves>> {
        let x = self.lstm("prosody.lstm", en, &p.lstm)?;
        let s = self.statistics("prosody", &x)?;
        let f0 = self.curve("f0", &x, &s, &p.f0, styles)?;
        let noise = self.curve("noise", &x, &s, &p.noise, styles)?;
        drop(x);
        let y = self.buffer(Curves::bytes(f0.len()))?.map(|values| Curves { values, len: f0.len.clone() });
        self.r.curves("curves.project", &f0, &noise, &p.curves.w, &p.curves.bias, &y)?;
        Ok(y)
    }

    /// `(2 T, 256)` of `x (T, 512)`; the statistics are those of x.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn curve(
        &mut self,
        name: &str,
        x: &Series,
        statistics: &Rc<Buffer>,
        blocks: &[Block],
        styles: &Rc<Buffer>,
    ) -> Result<Held<Series>> {
        let mut made: Option<Held<Series>> = None;
        for (i, block) in blocks.iter().enumerate() {
            let name = format!("{name}.block{i}");
            let x = made.as_deref().unwrap_or(x);
            made = Some(self.block_of(&name, x, (i == 0).then_some(statistics), block, styles)?);
        }
        made.ok_or_else(|| crate::error::Error::Internal(format!("{name} has no blocks")))
    }

    /// A residual block of a series, with its statistics where they are known.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn block_of(
        &mut self,
        name: &str,
        x: &Series,
        statistics: Option<&Rc<Buffer>>,
        b: &Block,
        styles: &Rc<Buffer>,
    ) -> Result<Held<Series>> {
        let made = match statistics {
            Some(_) => None,
            None => Some(self.statistics(&format!("{name}.norm1"), x)?),
        };
        let statistics = statistics.or(made.as_deref());
        let Some(statistics) = statistics else { crate::error::bail!(Internal, "{name} has no statistics") };
        let len = if b.pool.is_some() { self.length(2 * x.len())? } else { x.len.clone() };
        let y = self.series(&len, b.width)?;
        self.block(name, x, statistics, b, styles, y.all())?;
        Ok(y)
    }

    /// `(2 T, 512)` of the text `t_en (N, 512)`, whose row for each frame is `rows (T)`.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn decoder(
        &mut self,
        t_en: &Series,
        rows: &Rc<Buffer>,
        curves: &Curves,
        d: &Decoder,
        styles: &Rc<Buffer>,
    ) -> Result<Held<Series>> {
        let len = self.length(curves.len.rows / 2)?;
        // What blocks take: the text or the block before, the text once more, pitch and loudness.
        let first = self.series(&len, ENCODED)?;
        let x = self.series(&len, DECODED)?;
        self.r.expand("decoder.text", t_en, rows, &first)?;
        let (w, bias) = &d.curves_conv;
        let places = [first.from(ENCODED - 2), x.from(DECODED - 2)];
        self.r.halved_curves("decoder.curves", curves, w, bias, places)?;
        let bias = Product::Bias(&d.text_conv.bias);
        self.r.conv1d("decoder.text_conv", &first, &d.text_conv.w, Taps::ONE, bias, x.from(1024))?;
        let s = self.statistics("decoder.encode.norm1", &first)?;
        self.block("decoder.encode", &first, &s, &d.encode, styles, x.all())?;
        drop((first, s));
        let Some((last, blocks)) = d.decode.split_last() else {
            crate::error::bail!(Internal, "a decoder has no blocks")
        };
        for (i, block) in blocks.iter().enumerate() {
            self.cut();
            let name = format!("decoder.decode{i}");
            let s = self.statistics(&format!("{name}.norm1"), &x)?;
            // Nothing reads the block's input any more when its output comes.
            self.block(&name, &x, &s, block, styles, x.all())?;
        }
        self.cut();
        self.block_of(&format!("decoder.decode{}", blocks.len()), &x, None, last, styles)
    }
}
