//! LSTMs against f64.

use super::Recurrent;
use crate::ops::testing::{Rng, assert_close, blank_series, divided, name, run_series, series};

fn sigmoid(v: f64) -> f64 {
    1.0 / (1.0 + (-v).exp())
}

/// `(T, 2 H)` of gates `(T, 2, 4 H)` and weights `(2, 4 H, H)`; gates go input, output, forget, cell.
fn reference(gates: &[f32], w: &[f64], t: usize, h: usize) -> Vec<f64> {
    let mut y = vec![0.0; t * 2 * h];
    for d in 0..2 {
        let (mut state, mut cell) = (vec![0.0; h], vec![0.0; h]);
        for i in 0..t {
            let row = if d == 0 { i } else { t - 1 - i };
            let gate = |g: usize, unit: usize, state: &[f64]| {
                let w = &w[((d * 4 + g) * h + unit) * h..][..h];
                let input: f64 = gates[(row * 2 + d) * 4 * h + g * h + unit].into();
                input + w.iter().zip(state).map(|(a, b)| a * b).sum::<f64>()
            };
            let next: Vec<[f64; 4]> = (0..h).map(|unit| [0, 1, 2, 3].map(|g| gate(g, unit, &state))).collect();
            for (unit, &[input, output, forget, new]) in next.iter().enumerate() {
                cell[unit] = sigmoid(forget) * cell[unit] + sigmoid(input) * new.tanh();
                state[unit] = sigmoid(output) * cell[unit].tanh();
                y[row * 2 * h + d * h + unit] = state[unit];
            }
        }
    }
    y
}

#[test]
fn both_directions() {
    let mut rng = Rng(61);
    for gpu in &divided() {
        // Gates beyond what exp can take, too.
        for (t, h, scale) in [(1, 16, 1.0), (2, 16, 300.0), (7, 32, 2.0), (33, 48, 1.0), (5, 256, 2.0)] {
            let gates = rng.vec(t * 8 * h, scale);
            // So small that an error dies away: larger ones make a network that is chaotic.
            let scale = 0.5 / 127.0 / (h as f32).sqrt();
            let scales = [scale, 2.0 * scale];
            let q: Vec<i8> = rng.bytes(8 * h * h).into_iter().map(u8::cast_signed).collect();
            let values: Vec<f64> =
                q.iter().enumerate().map(|(i, &q)| f64::from(q) * f64::from(scales[i / (4 * h * h)])).collect();
            // (2, 4, H, H / 4, 4) to (2, H / 4, H, 4, 4)
            let mut codes = Vec::with_capacity(q.len());
            for (d, k, unit) in (0..2).flat_map(|d| (0..h / 4).flat_map(move |k| (0..h).map(move |unit| (d, k, unit))))
            {
                for g in 0..4 {
                    codes.extend_from_slice(&q[((d * 4 + g) * h + unit) * h + 4 * k..][..4]);
                }
            }
            let w = Recurrent {
                codes: gpu.buffer_with("test", &codes).unwrap(),
                scales: gpu.buffer_with("test", &scales).unwrap(),
                hidden: h as u32,
            };
            let (x, y) = (series(gpu, t, 8 * h, &gates), blank_series(gpu, t, 2 * h));
            let got = run_series(gpu, &y, |r| r.lstm("test", &x, &w, &y).unwrap());
            assert_close(&got, &reference(&gates, &values, t, h), 1e-5, &format!("T={t} H={h} {}", name(gpu)));
        }
    }
}
