//! From tokens to their durations, and to what the decoder learns about the text.

use std::rc::Rc;

use super::pass::{LEAK, Pass};
use super::pool::Held;
use super::weights::{Bert, Duration, Norm, STYLE, TextEncoder};
use crate::error::Result;
use crate::gpu::Buffer;
use crate::ops::{Affine, Length, Positions, Product, Series, Skip, Style, Taps};

const BERT_EPS: f32 = 1e-12;
const EPS: f32 = 1e-5;
const BERT_LAYERS: u32 = 12;
const BERT_HEADS: u32 = 12;

fn weights(norm: &Norm) -> Affine<'_> {
    Affine::Weights { weight: &norm.weight, bias: &norm.bias }
}

impl Pass<'_> {
    /// `(N, 512)`, in the first columns of `y`.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn bert(&mut self, tokens: &Rc<Buffer>, b: &Bert, y: &Series) -> Result<()> {
        let embd = self.series(&y.len, 128)?;
        let positions = Positions { table: &b.position_embd, bias: &b.type_embd };
        self.r.embed_codes("bert.embd", tokens, &b.token_embd, Some(positions), &embd)?;
        let normed = self.series(&y.len, 128)?;
        self.r.layer_norm("bert.embd_norm", &embd, weights(&b.embd_norm), BERT_EPS, None, normed.all())?;
        let mut x = self.linear("bert.embd_project", &normed, &b.embd_project)?;
        for _ in 0..BERT_LAYERS {
            x = self.bert_layer(&x, b)?;
        }
        self.r.conv1d("bert.output", &x, &b.output.w, Taps::ONE, Product::Bias(&b.output.bias), y.all())
    }

    /// `(N, 768)`
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn bert_layer(&mut self, x: &Series, b: &Bert) -> Result<Held<Series>> {
        let qkv = self.linear("bert.attn_qkv", x, &b.attn_qkv)?;
        let h = self.series(&x.len, x.width())?;
        self.r.attend("bert.attention", &qkv, BERT_HEADS, &h)?;
        drop(qkv);
        let plus = |series| Skip { series, repeat: 1, scale: 1.0 };
        let sum = self.series(&x.len, x.width())?;
        let product = Product::Residual(&b.attn_output.bias, plus(x));
        self.r.conv1d("bert.attn_output", &h, &b.attn_output.w, Taps::ONE, product, sum.all())?;
        self.r.layer_norm("bert.attn_norm", &sum, weights(&b.attn_norm), BERT_EPS, None, h.all())?;
        let up = self.series(&x.len, b.ffn_up.w.rows)?;
        self.r.conv1d("bert.ffn_up", &h, &b.ffn_up.w, Taps::ONE, Product::Gelu(&b.ffn_up.bias), up.all())?;
        let product = Product::Residual(&b.ffn_down.bias, plus(&h));
        self.r.conv1d("bert.ffn_down", &up, &b.ffn_down.w, Taps::ONE, product, sum.all())?;
        let y = self.series(&x.len, x.width())?;
        self.r.layer_norm("bert.ffn_norm", &sum, weights(&b.ffn_norm), BERT_EPS, None, y.all())?;
        Ok(y)
    }

    /// `(N, 512)`
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn text_encoder(&mut self, tokens: &Rc<Buffer>, len: &Length, e: &TextEncoder) -> Result<Held<Series>> {
        let mut x = self.series(len, e.embd.cols)?;
        self.r.embed_codes("text_encoder.embd", tokens, &e.embd, None, &x)?;
        for (i, (conv, norm)) in e.convs.iter().enumerate() {
            let h = self.conv(&format!("text_encoder.conv{i}"), &x, conv, Taps::same(5, 1))?;
            x = self.series(len, h.width())?;
            let name = format!("text_encoder.norm{i}");
            self.r.layer_norm(&name, &h, weights(norm), EPS, Some(LEAK), x.all())?;
        }
        self.lstm("text_encoder.lstm", &x, &e.lstm)
    }

    /// `d (N, 512 + 128)`, in place: what BERT makes, and the style in each row. The style is `(256)`, its second half is used.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn duration_encoder(
        &mut self,
        d: &Series,
        style: &Rc<Buffer>,
        e: &Duration,
        styles: &Rc<Buffer>,
    ) -> Result<()> {
        self.r.fill("duration.style", style, STYLE, STYLE, d.from(d.width() - STYLE))?;
        for (i, (lstm, at)) in e.layers.iter().enumerate() {
            let x = self.lstm(&format!("duration.lstm{i}"), d, lstm)?;
            let style = Affine::Style(Style { styles, first: at.0 });
            self.r.layer_norm(&format!("duration.norm{i}"), &x, style, EPS, None, d.all())?;
        }
        Ok(())
    }

    /// `(N)` f32: frames of each token at speed 1, not rounded.
    ///
    /// # Errors
    /// As [`crate::ops::Recorder::conv1d`].
    pub fn durations(&mut self, d: &Series, e: &Duration, y: &Rc<Buffer>) -> Result<()> {
        let x = self.lstm("duration.lstm3", d, &e.lstm)?;
        let h = self.linear("duration.project", &x, &e.project)?;
        self.r.sum_sigmoids("durations", &h, y)
    }
}
