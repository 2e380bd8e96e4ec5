//! Attention in f64: what this op's kernels compute.

use super::Attention;
#[cfg(test)]
use super::{Normed, RopeKind, Temperature};
#[cfg(test)]
use crate::ops::matmul::reference::rms_norm;

/// `y (T, n_head head_dim)` of a sequence from position 0 on, `qkv (T, (n_head + 2 n_head_kv) head_dim)`, or with gates after
/// them, as [`rope_kv`] leaves it.
pub fn attention(a: &Attention<'_>, qkv: &[f64]) -> Vec<f64> {
    let [n_head, n_head_kv, head_dim] = [a.n_head, a.n_head_kv, a.head_dim].map(|n| n as usize);
    let row = a.row() as usize;
    let head = |t: usize, i: usize| &qkv[t * row + i * head_dim..][..head_dim];
    let score = |q: &[f64], k: &[f64]| {
        let s = f64::from(a.scale) * q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>();
        a.softcap.map_or(s, |cap| f64::from(cap) * (s / f64::from(cap)).tanh())
    };
    let mut y = Vec::new();
    for t in 0..qkv.len() / row {
        let seen = (t + 1).saturating_sub(a.window as usize)..=t;
        for h in 0..n_head {
            let k = n_head + h / (n_head / n_head_kv);
            let scores: Vec<f64> = seen.clone().map(|p| score(head(t, h), head(p, k))).collect();
            let highest = scores.iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - highest).exp()).collect();
            let total: f64 = weights.iter().sum();
            let v = |p, i: usize| head(p, k + n_head_kv)[i];
            let mean = |i| seen.clone().zip(&weights).map(|(p, w)| w / total * v(p, i)).sum::<f64>();
            let gate = |i: usize| 1.0 / (1.0 + (-head(t, n_head + 2 * n_head_kv + h)[i]).exp());
            y.extend((0..head_dim).map(|i| if a.gated { mean(i) * gate(i) } else { mean(i) }));
        }
    }
    y
}

/// `qkv` of a sequence from position 0 on, with q and k normed and rotated. The norms' weights are those of `a.qk_norm`;
/// pair `i` turns by `angle(pos, i)`.
#[cfg(test)]
pub fn rope_kv(
    a: &Attention<'_>,
    qkv: &[f32],
    [q_norm, k_norm]: [&[f32]; 2],
    angle: impl Fn(usize, usize) -> f64,
) -> Vec<f64> {
    let [q, kv, head_dim] = [a.n_head * a.head_dim, a.n_head_kv * a.head_dim, a.head_dim].map(|n| n as usize);
    let after = a.qk_norm.filter(|norm| norm.of == Normed::RotatedHead);
    let normed = |x: &[f32], weight: &[f32]| match a.qk_norm {
        Some(norm) if after.is_none() => rms_norm(x, weight, norm.eps),
        _ => x.iter().map(|&x| f64::from(x)).collect(),
    };
    let rotate = |head: &mut [f64], pos: usize| {
        let Some(rope) = a.rope else { return };
        let half = rope.n_rot as usize / 2;
        for i in 0..half {
            let (a, b) = match rope.kind {
                RopeKind::Interleaved => (2 * i, 2 * i + 1),
                RopeKind::HalfSplit => (i, i + half),
            };
            let (sin, cos) = angle(pos, i).sin_cos();
            (head[a], head[b]) = (head[a] * cos - head[b] * sin, head[a] * sin + head[b] * cos);
        }
    };
    let mut out = Vec::new();
    for (pos, row) in qkv.chunks_exact(a.row() as usize).enumerate() {
        let mut qk = [normed(&row[..q], q_norm), normed(&row[q..q + kv], k_norm)].concat();
        qk.chunks_exact_mut(head_dim).for_each(|head| rotate(head, pos));
        if let Some(norm) = after {
            for (i, head) in qk.chunks_exact_mut(head_dim).enumerate() {
                let weight = if i < a.n_head as usize { q_norm } else { k_norm };
                let mean = head.iter().map(|v| v * v).sum::<f64>() / head_dim as f64;
                let scale = (mean + f64::from(norm.eps)).powf(-0.5);
                head.iter_mut().zip(weight).for_each(|(v, &w)| *v *= scale * f64::from(w));
            }
        }
        if let Some(Temperature { scale, n_ctx_orig }) = a.temperature {
            let factor = 1.0 + f64::from(scale) * f64::from(pos as u32 / n_ctx_orig + 1).ln();
            qk[..q].iter_mut().for_each(|v| *v *= factor);
        }
        out.extend(qk);
        out.extend(row[q + kv..].iter().map(|&v| f64::from(v)));
    }
    out
}
