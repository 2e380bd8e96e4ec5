//! The nodes of llama.cpp's gated delta nets that our kernels compute on the way.

use super::Activation;
use super::names::insert_before_logits;
use crate::llm::config::{Mixer, ModelConfig};
use crate::ops::DeltaShape;

/// Unit queries and keys, gates, the norm before its weight; the state with a row for each element of a value.
pub fn finish(c: &ModelConfig, activations: &mut Vec<Activation>) {
    let mut nodes = Vec::new();
    for (l, layer) in c.layers.iter().enumerate() {
        if let Mixer::DeltaNet(shape) = layer.mixer {
            nodes.extend(of_layer(shape, c.norm.eps(), &l.to_string(), activations).unwrap_or_default());
            let state = activations.iter_mut().find(|a| a.name == format!("new_state-{l}"));
            state.into_iter().for_each(|state| transpose(&mut state.data, shape.head_dim as usize));
        }
    }
    insert_before_logits(activations, nodes);
}

/// `None` where a node that others are made of is missing.
fn of_layer(s: DeltaShape, eps: f32, layer: &str, activations: &[Activation]) -> Option<Vec<Activation>> {
    let find = |name: &str| activations.iter().find(|a| a.name == format!("{name}-{layer}"));
    let (mixed, alpha, beta) = (find("conv_output_silu")?, find("alpha")?, find("beta")?);
    let (read, weights) = (find("attn_output")?, find("head_weights")?);
    let node = |name: &str, data: Vec<f32>| {
        let width = data.len() / mixed.rows;
        Activation { name: format!("{name}-{layer}"), rows: mixed.rows, width, data }
    };
    let [head_dim, n_v, keys] = [s.head_dim, s.n_v, s.n_k * s.head_dim].map(|n| n as usize);
    let heads = |part: usize| -> Vec<f32> {
        let rows = mixed.data.chunks_exact(mixed.width).flat_map(|row| &row[part * keys..][..keys]);
        normed(&rows.copied().collect::<Vec<_>>(), head_dim, |sum_sq| sum_sq + eps)
    };
    let (a, dt) = weights.data.split_at(n_v);
    let softplus: Vec<f32> = alpha.data.iter().zip(dt[..n_v].iter().cycle()).map(|(v, dt)| softplus(v + dt)).collect();
    let gate = softplus.iter().zip(a.iter().cycle()).map(|(v, a)| v * a).collect();
    Some(vec![
        node("q_conv_predelta", heads(0)),
        node("k_conv_predelta", heads(1)),
        node("gate", gate),
        node("a_softplus", softplus),
        node("beta_sigmoid", beta.data.iter().map(|v| 1.0 / (1.0 + (-v).exp())).collect()),
        node("ssm_norm.pre_weight", normed(&read.data, head_dim, |sum_sq| sum_sq / s.head_dim as f32 + eps)),
    ])
}

/// Each head divided by the root of what its sum of squares makes.
fn normed(x: &[f32], head_dim: usize, square: impl Fn(f32) -> f32) -> Vec<f32> {
    let scale = |head: &[f32]| square(head.iter().map(|v| v * v).sum()).sqrt();
    x.chunks_exact(head_dim)
        .flat_map(|head| {
            let scale = scale(head);
            head.iter().map(move |v| v / scale)
        })
        .collect()
}

fn softplus(v: f32) -> f32 {
    if v > 20.0 { v } else { v.exp().ln_1p() }
}

/// Square matrices, one after the other.
fn transpose(states: &mut [f32], n: usize) {
    for state in states.chunks_exact_mut(n * n) {
        for i in 0..n {
            for j in 0..i {
                state.swap(i * n + j, j * n + i);
            }
        }
    }
}
