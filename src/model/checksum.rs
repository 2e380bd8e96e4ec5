//! What the weights on the GPU are, in one number: that a load brought every byte, and brought it right.

use std::rc::Rc;

use super::forward::Model;
use super::weights::{FfnWeights, GateUp, Linear, NormWeights, Weights};
use crate::error::Result;
use crate::gpu::Buffer;
use crate::ops::{Matrix, Vector};

impl Model {
    /// FNV-1a (draft-eastlake-fnv) of the words of all weights, 64 bits. For tests: every buffer comes back to the host.
    ///
    /// # Errors
    /// As [`crate::gpu::Gpu::read`].
    pub async fn weights_checksum(&self) -> Result<u64> {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for buffer in buffers(&self.weights) {
            for word in self.gpu.read::<u32>(buffer, buffer.bytes() as usize / 4).await? {
                hash = (hash ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Ok(hash)
    }
}

/// Every buffer, in an order that depends on the architecture alone.
fn buffers(w: &Weights) -> Vec<&Rc<Buffer>> {
    let mut all = Vec::new();
    all.extend(matrix_buffers(&w.token_embd));
    all.extend(w.position_embd.iter().flat_map(|m| matrix_buffers(m)));
    for layer in &w.layers {
        let norms = [&layer.attn_norm, &layer.ffn_norm];
        all.extend(norms.into_iter().flatten().flat_map(norm_buffers));
        all.extend([&layer.attn_qkv, &layer.attn_output].into_iter().flat_map(linear_buffers));
        all.extend(ffn_buffers(&layer.ffn));
        let vectors = [&layer.attn_q_norm, &layer.attn_k_norm, &layer.attn_post_norm, &layer.ffn_post_norm];
        all.extend(vectors.into_iter().flatten().map(|v| &v.buffer));
    }
    all.extend(norm_buffers(&w.output_norm));
    all.extend(matrix_buffers(&w.output));
    all.extend(w.output_bias.iter().map(|t| &t.buffer));
    all
}

fn ffn_buffers(ffn: &FfnWeights) -> Vec<&Rc<Buffer>> {
    match ffn {
        FfnWeights::Gated { gate_up: GateUp::Alternating(m), ffn_down } => {
            matrix_buffers(m).chain(linear_buffers(ffn_down)).collect()
        }
        FfnWeights::Gated { gate_up: GateUp::Apart { ffn_gate, ffn_up }, ffn_down } => {
            [ffn_gate, ffn_up, ffn_down].into_iter().flat_map(linear_buffers).collect()
        }
        FfnWeights::Plain { ffn_up, ffn_down } => linear_buffers(ffn_up).chain(linear_buffers(ffn_down)).collect(),
        FfnWeights::Experts(e) => [&e.ffn_gate_inp, &e.ffn_gate_up_exps.matrix, &e.ffn_down_exps.matrix]
            .into_iter()
            .flat_map(|m| matrix_buffers(m))
            .collect(),
    }
}

fn matrix_buffers(m: &Matrix) -> impl Iterator<Item = &Rc<Buffer>> {
    m.parts.iter().flat_map(|p| [Some(&p.qs), p.sc.as_ref()]).flatten()
}

fn linear_buffers(l: &Linear) -> impl Iterator<Item = &Rc<Buffer>> {
    matrix_buffers(&l.weight).chain(l.bias.iter().map(|v| &v.buffer))
}

fn norm_buffers(n: &NormWeights) -> impl Iterator<Item = &Rc<Buffer>> {
    [Some(&n.weight), n.bias.as_ref()].into_iter().flatten().map(|v: &Vector| &v.buffer)
}
