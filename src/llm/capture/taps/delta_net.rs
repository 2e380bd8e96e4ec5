//! Intermediates of gated delta nets.

use super::Taps;
use crate::error::Result;
use crate::gpu::Usage;
use crate::llm::config::Mixer;
use crate::ops::{DeltaNet, DeltaScratch, Input, Matrix, Phase, Recorder, Tensor};

impl Taps<'_> {
    /// Name the convolution's input, z, beta and alpha.
    pub(super) fn delta_projections(&mut self, r: &mut Recorder<'_>, input: Input<'_>, w: &Matrix) -> Result<()> {
        let layer = r.layer().and_then(|l| self.c.layers.get(l as usize));
        let Some(Mixer::DeltaNet(s)) = layer.map(|l| l.mixer) else { return Ok(()) };
        let (channels, values) = (s.channels(), s.values());
        let columns = [
            ("linear_attn_qkv_mixed", 0, 1, channels),
            ("z", channels, 1, values),
            ("beta", channels + values, 1, s.n_v),
            ("alpha", channels + values + s.n_v, 1, s.n_v),
        ];
        self.product(r, input, w, None, &columns)
    }

    /// Name what the convolution gives, and what is read from a copy of the states, by the kernels of batches.
    pub(super) fn delta_net(&mut self, r: &mut Recorder<'_>, net: &DeltaNet<'_>, x: &Tensor, y: &Tensor) -> Result<()> {
        let state = r.gpu.buffer("tap", net.state.bytes(), Usage::Storage)?;
        r.plan.copy(net.state.clone(), state.clone(), state.bytes());
        let on_copy = DeltaNet { state: &state, ..*net };
        let scratch = DeltaScratch {
            mixed: Tensor::new(r.gpu, "tap", self.n_rows, net.shape.channels())?,
            chunks: Tensor::new(r.gpu, "tap", self.n_rows, net.shape.chunk_row())?,
        };
        let mixed = &scratch.mixed;
        let read = Tensor::new(r.gpu, "tap", self.n_rows, y.width)?;
        r.delta_conv(net, "none", x, mixed)?;
        self.tensor(r, "conv_output_raw", mixed)?;
        r.delta_conv(net, "silu", x, mixed)?;
        self.tensor(r, "conv_output_silu", mixed)?;
        r.delta_rule(&on_copy, x, &scratch, &read)?;
        self.tensor(r, "attn_output", &read)?;
        let weights = net.head_weights;
        self.rows(r, &weights.buffer, 1, weights.len, &[("head_weights", 0, 1, weights.len)])
    }

    /// Name the normed and gated output, and the states after a prompt.
    pub(super) fn delta_state(&mut self, r: &mut Recorder<'_>, net: &DeltaNet<'_>, y: &Tensor) -> Result<()> {
        self.tensor(r, "final_output", y)?;
        if r.phase != Phase::Prefill {
            return Ok(());
        }
        let n = net.shape.values() * net.shape.head_dim;
        self.rows(r, net.state, 1, n, &[("new_state", 0, 1, n)])
    }
}
