//! Matmul in f64: what this op's kernels compute.

#[cfg(test)]
use super::{Act, Input, Output};

/// `y (T, N) = x (T, K) . w^T`, `w (N, K)`.
pub fn matmul(x: &[f64], w: &[f32], k: usize) -> Vec<f64> {
    let dot = |x: &[f64], w: &[f32]| x.iter().zip(w).map(|(x, &w)| x * f64::from(w)).sum();
    x.chunks_exact(k).flat_map(|x| w.chunks_exact(k).map(move |w| dot(x, w))).collect()
}

/// RMSNorm (arXiv:1910.07467) of each row of `x (T, K)`, `weight (K)`.
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32) -> Vec<f64> {
    let row = |x: &[f32]| {
        let mean_sq = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / x.len() as f64;
        let scale = 1.0 / (mean_sq + f64::from(eps)).sqrt();
        x.iter().zip(weight).map(|(&x, &w)| f64::from(x) * scale * f64::from(w)).collect::<Vec<_>>()
    };
    x.chunks_exact(weight.len()).flat_map(row).collect()
}

/// LayerNorm (arXiv:1607.06450) of each row of `x (T, K)`, `weight (K)`, `bias (K)`.
#[cfg(test)]
pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32) -> Vec<f64> {
    let row = |x: &[f32]| {
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / x.len() as f64;
        let scale = 1.0 / (variance + f64::from(eps)).sqrt();
        let norm = |((&x, &w), &b)| (f64::from(x) - mean) * scale * f64::from(w) + f64::from(b);
        x.iter().zip(weight).zip(bias).map(norm).collect::<Vec<_>>()
    };
    x.chunks_exact(weight.len()).flat_map(row).collect()
}

/// `input(x)`, `(T, K)`, with the CPU's copies of its operands.
#[cfg(test)]
pub fn input(input: &Input<'_>, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
    match *input {
        Input::Plain(_) | Input::Digits(_) => x.iter().map(|&x| x.into()).collect(),
        Input::RmsNorm { eps, .. } => rms_norm(x, weight, eps),
        Input::LayerNorm { eps, .. } => layer_norm(x, weight, bias, eps),
    }
}

/// `output(v)` for the product `v (T, N)`, with the CPU's copies of its operands; `y` as it was before.
#[cfg(test)]
pub fn output(output: &Output<'_>, v: &[f64], y: &[f32], bias: &[f32]) -> Vec<f64> {
    let biased = v.iter().enumerate().map(|(i, v)| v + output.bias().map_or(0.0, |_| f64::from(bias[i % bias.len()])));
    match *output {
        Output::Store { .. } => biased.collect(),
        Output::Add { scale, .. } => biased.zip(y).map(|(v, &y)| f64::from(y) + f64::from(scale) * v).collect(),
        Output::Gelu { .. } => biased.map(|v| activation(Act::Gelu, v)).collect(),
        Output::Glu { act, .. } => v.chunks_exact(2).map(|v| activation(act, v[0]) * v[1]).collect(),
        Output::Logits { scale, softcap, .. } => {
            let cap = |v: f64| softcap.map_or(v, |cap| f64::from(cap) * (v / f64::from(cap)).tanh());
            v.iter().map(|v| cap(f64::from(scale) * v)).collect()
        }
    }
}

/// `act(y) * up`.
#[cfg(test)]
pub fn glu(act: Act, up: &[f32], y: &[f32]) -> Vec<f64> {
    y.iter().zip(up).map(|(&y, &up)| activation(act, y.into()) * f64::from(up)).collect()
}

/// SiLU or GELU, the latter by its approximation with a tanh (arXiv:1606.08415).
#[cfg(test)]
pub fn activation(act: Act, v: f64) -> f64 {
    match act {
        Act::Silu => v / (1.0 + (-v).exp()),
        Act::Gelu => 0.5 * v * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (v + 0.044715 * v.powi(3))).tanh()),
    }
}
