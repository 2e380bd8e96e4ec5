//! A gated delta net in f64: what this op's kernels compute.

use super::DeltaShape;

/// `y (T, n_v D)` of `x (T, row)`, all positions of a sequence, and the state after them, `(n_v, D keys, D values)`.
pub fn delta_net(s: DeltaShape, x: &[f32], taps: &[f32], head_weights: &[f32], eps: f32) -> (Vec<f64>, Vec<f64>) {
    let [n_k, n_v, d, kernel] = [s.n_k, s.n_v, s.head_dim, s.kernel].map(|n| n as usize);
    let (row, channels) = (s.row() as usize, s.channels() as usize);
    let silu = |v: f64| v / (1.0 + (-v).exp());
    let at = |t: usize, i: usize| f64::from(x[t * row + i]);
    let conv = |t: usize, i: usize| {
        silu((0..kernel.min(t + 1)).map(|b| f64::from(taps[i * kernel + kernel - 1 - b]) * at(t - b, i)).sum())
    };
    let head = |t: usize, i: usize| -> Vec<f64> { (i * d..(i + 1) * d).map(|i| conv(t, i)).collect() };
    let unit = |v: Vec<f64>| -> Vec<f64> {
        let norm = (v.iter().map(|v| v * v).sum::<f64>() + f64::from(eps)).sqrt();
        v.iter().map(|v| v / norm).collect()
    };
    let weight = |i: usize| f64::from(head_weights[i]);
    let mut states = vec![0.0; n_v * d * d];
    let mut y = Vec::new();
    for t in 0..x.len() / row {
        for (h, state) in states.chunks_exact_mut(d * d).enumerate() {
            let (q, k, v) = (unit(head(t, h % n_k)), unit(head(t, n_k + h % n_k)), head(t, 2 * n_k + h));
            let [beta, alpha] = [0, 1].map(|i| at(t, channels + n_v * d + i * n_v + h));
            let keep = ((1.0 + (alpha + weight(n_v + h)).exp()).ln() * weight(h)).exp();
            let beta = 1.0 / (1.0 + (-beta).exp());
            state.iter_mut().for_each(|s| *s *= keep);
            let read = |state: &[f64], by: &[f64], j: usize| (0..d).map(|i| state[i * d + j] * by[i]).sum::<f64>();
            let delta: Vec<f64> = (0..d).map(|j| beta * (v[j] - read(state, &k, j))).collect();
            for (i, row) in state.chunks_exact_mut(d).enumerate() {
                row.iter_mut().zip(&delta).for_each(|(s, delta)| *s += k[i] * delta);
            }
            let o: Vec<f64> = (0..d).map(|j| read(state, &q, j) / (d as f64).sqrt()).collect();
            let rms = (o.iter().map(|o| o * o).sum::<f64>() / d as f64 + f64::from(eps)).sqrt();
            let z = |j: usize| at(t, channels + h * d + j);
            y.extend(o.iter().enumerate().map(|(j, o)| o / rms * weight(2 * n_v + j) * silu(z(j))));
        }
    }
    (y, states)
}
