//! The forward pass: BERT (arXiv:1810.04805), whose norms come after each sum.

use super::config::EncoderConfig;
use super::weights::{Layer, Norm, Weights};
use crate::error::Result;
use crate::gpu::{Allocate, Plan};
use crate::ops::{Input, Output, Packed, Recorder, Tensor};

/// What a batch's rows are on their way through the layers. All layers share it.
pub struct Activations {
    /// `(T, C)`, the sum before a norm and after it, in turn.
    x: Tensor,
    h: Tensor,
    /// `(T, 3 C)`
    qkv: Tensor,
    /// `(T, C)`
    attn: Tensor,
    /// `(T, F)`
    ffn: Tensor,
    /// `(B, C)`, a vector of each text.
    pub pooled: Tensor,
}

impl Activations {
    /// Of batches that count for up to `max_rows`.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, c: &EncoderConfig, max_rows: u32) -> Result<Self> {
        let tensor = |name, width| Tensor::new(from, name, max_rows, width);
        Ok(Activations {
            x: tensor("x", c.n_embd)?,
            h: tensor("h", c.n_embd)?,
            qkv: tensor("qkv", 3 * c.n_embd)?,
            attn: tensor("attn", c.n_embd)?,
            ffn: tensor("ffn", c.n_ff)?,
            pooled: Tensor::new(from, "pooled", Packed::max_texts(max_rows), c.n_embd)?,
        })
    }
}

/// `h = norm(x)`
fn norm(r: &mut Recorder<'_>, name: &str, x: &Tensor, w: &Norm, eps: f32, h: &Tensor) -> Result<()> {
    r.apply_input(name, Input::LayerNorm { x, weight: &w.weight, bias: &w.bias, eps }, h)
}

/// Record the forward pass as a plan a layer: what is before the first layer is in its plan, what is after the last in the last.
///
/// # Errors
/// As the ops that it is made of.
pub fn record(
    r: &mut Recorder<'_>,
    c: &EncoderConfig,
    w: &Weights,
    packed: &Packed,
    a: &Activations,
) -> Result<Vec<Plan>> {
    let mut plans = Vec::new();
    r.embed_packed("inp_embd", packed, &w.token_embd, &w.position_embd, &w.type_embd, &a.h)?;
    norm(r, "inp_norm", &a.h, &w.token_embd_norm, c.norm_eps, &a.x)?;
    for (l, layer) in (0..).zip(&w.layers) {
        r.set_layer(Some(l));
        record_layer(r, c, layer, packed, a)?;
        r.set_layer(None);
        if l + 1 == c.n_layer {
            r.pool("pooled", packed, &a.x, &a.pooled)?;
        }
        plans.push(std::mem::take(&mut r.plan));
    }
    Ok(plans)
}

/// `h = norm(x + attention(x))`, then `x = norm(h + down(gelu(up(h))))`.
fn record_layer(r: &mut Recorder<'_>, c: &EncoderConfig, w: &Layer, packed: &Packed, a: &Activations) -> Result<()> {
    let Activations { x, h, qkv, attn, ffn, .. } = a;
    let store = Output::Store { y: qkv, bias: Some(&w.attn_qkv.bias) };
    r.matmul("attn_qkv", Input::Plain(x), &w.attn_qkv.weight, store)?;
    r.attend_packed("attn", packed, [c.n_head, c.n_head, c.head_dim()], qkv, attn)?;
    let add = Output::Add { y: x, bias: Some(&w.attn_output.bias), scale: 1.0 };
    r.matmul("attn_output", Input::Plain(attn), &w.attn_output.weight, add)?;
    norm(r, "attn_output_norm", x, &w.attn_output_norm, c.norm_eps, h)?;
    r.matmul("ffn_up", Input::Plain(h), &w.ffn_up.weight, Output::Gelu { y: ffn, bias: &w.ffn_up.bias })?;
    let add = Output::Add { y: h, bias: Some(&w.ffn_down.bias), scale: 1.0 };
    r.matmul("ffn_down", Input::Plain(ffn), &w.ffn_down.weight, add)?;
    norm(r, "layer_output_norm", h, &w.layer_output_norm, c.norm_eps, x)
}
