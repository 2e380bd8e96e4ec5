//! Convolutions over time in f64: what this op's kernels compute.

use super::Taps;

/// `(T', N)` of `x (T, C)` and `w (N, kernel, C)`, `rows` rows of it.
pub fn conv(x: &[f64], c: usize, w: &[f64], taps: Taps, rows: usize) -> Vec<f64> {
    let [kernel, stride, dilation, pad] = [taps.kernel, taps.stride, taps.dilation, taps.pad].map(|v| v as usize);
    let row_of = |t: usize, k: usize| (t * stride + k * dilation).checked_sub(pad).filter(|row| row * c < x.len());
    let sum = |t: usize, w: &[f64]| -> f64 {
        let taps = (0..kernel).filter_map(|k| row_of(t, k).map(|row| (&x[row * c..][..c], &w[k * c..][..c])));
        taps.map(|(x, w)| x.iter().zip(w).map(|(a, b)| a * b).sum::<f64>()).sum()
    };
    (0..rows).flat_map(|t| w.chunks_exact(kernel * c).map(move |w| (t, w))).map(|(t, w)| sum(t, w)).collect()
}

/// `(stride T, N)` of `x (T, C)` and `w (C, N, kernel)`, less `pad` rows at both ends.
pub fn transposed(x: &[f64], c: usize, w: &[f64], n: usize, stride: usize, pad: usize) -> Vec<f64> {
    let (rows, kernel) = (x.len() / c, 2 * stride);
    let mut y = vec![0.0; ((rows + 1) * stride) * n];
    for (t, i, m, k) in (0..rows)
        .flat_map(|t| (0..c).flat_map(move |i| (0..n).flat_map(move |m| (0..kernel).map(move |k| (t, i, m, k)))))
    {
        y[(t * stride + k) * n + m] += x[t * c + i] * w[(i * n + m) * kernel + k];
    }
    y[pad * n..][..rows * stride * n].to_vec()
}

pub fn leaky(x: &[f64], leak: f64) -> Vec<f64> {
    x.iter().map(|&v| if v < 0.0 { leak * v } else { v }).collect()
}

pub fn gelu(v: f64) -> f64 {
    0.5 * v * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (v + 0.044715 * v.powi(3))).tanh())
}
