//! A mixture of experts in f64: what this op's kernels compute.

use super::ExpertOutput;
use crate::ops::Act;
use crate::ops::matmul::reference::{activation, matmul};

/// Each token's experts and their weights, `(T, n_used)`, best first.
pub type Routes = Vec<Vec<(usize, f64)>>;

/// The experts with the largest of `logits (T, E)`; with a bias `(E)`, those with the largest sums of it and the sigmoids.
pub fn expert_route(logits: &[f32], bias: Option<&[f32]>, n_expert: usize, n_used: usize) -> Routes {
    let choose = |logits: &[f32]| {
        let value = |v: f32| match bias {
            None => f64::from(v).exp(),
            Some(_) => 1.0 / (1.0 + f64::from(-v).exp()),
        };
        let mut e: Vec<(usize, f64)> = logits.iter().map(|&v| value(v)).enumerate().collect();
        let score = |e: &(usize, f64)| e.1 + bias.map_or(0.0, |bias| f64::from(bias[e.0]));
        e.sort_by(|a, b| score(b).total_cmp(&score(a)));
        e.truncate(n_used);
        let sum: f64 = e.iter().map(|e| e.1).sum();
        e.into_iter().map(|(i, v)| (i, v / sum)).collect()
    };
    logits.chunks_exact(n_expert).map(choose).collect()
}

/// The matrices of all experts, `(E, N, K)`.
#[derive(Clone, Copy)]
pub struct ExpertMatrix<'a> {
    pub values: &'a [f32],
    pub n: usize,
    pub k: usize,
}

impl ExpertMatrix<'_> {
    /// `w_e . x`, `(N)`.
    fn product(&self, e: usize, x: &[f32]) -> Vec<f64> {
        let size = self.n * self.k;
        let x: Vec<f64> = x.iter().map(|&x| x.into()).collect();
        matmul(&x, &self.values[e * size..][..size], self.k)
    }
}

/// `output(w_e . x)` for each token's experts e, `(T, n_used, N)`; `x (T, x_rows, K)`.
pub fn expert_matmul(
    (x, x_rows): (&[f32], usize),
    w: ExpertMatrix<'_>,
    routes: &Routes,
    output: &ExpertOutput<'_>,
) -> Vec<f64> {
    let mut y = Vec::new();
    for (x, experts) in x.chunks_exact(x_rows * w.k).zip(routes) {
        for (&(e, _), x) in experts.iter().zip(x.chunks_exact(w.k).cycle()) {
            let v = w.product(e, x);
            y.extend(match *output {
                ExpertOutput::Store(_) => v,
                ExpertOutput::Swiglu(_) => v.chunks_exact(2).map(|v| activation(Act::Silu, v[0]) * v[1]).collect(),
            });
        }
    }
    y
}

/// `y (T, N) + scale * sigmoid(gate) * x (T, N)`, `gate (T)`.
pub fn add_gated(x: &[f32], gate: &[f32], y: &[f32], scale: f32) -> Vec<f64> {
    let n = x.len() / gate.len();
    let factor = |i: usize| f64::from(scale) / (1.0 + f64::from(-gate[i / n]).exp());
    x.iter().zip(y).enumerate().map(|(i, (&x, &y))| f64::from(y) + factor(i) * f64::from(x)).collect()
}

/// `y (T, N) + scale * sum_e weight_e (w_e . x_e)` over each token's experts e, `x (T, n_used, K)`.
pub fn expert_sum(x: &[f32], w: ExpertMatrix<'_>, routes: &Routes, y: &[f32], scale: f32) -> Vec<f64> {
    let mut y: Vec<f64> = y.iter().map(|&y| y.into()).collect();
    let slots = routes.iter().enumerate().flat_map(|(t, experts)| experts.iter().map(move |e| (t, e)));
    for ((t, &(e, weight)), x) in slots.zip(x.chunks_exact(w.k)) {
        let y = &mut y[t * w.n..][..w.n];
        y.iter_mut().zip(w.product(e, x)).for_each(|(y, v)| *y += f64::from(scale) * weight * v);
    }
    y
}
