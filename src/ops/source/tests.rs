//! Curves and harmonics against f64.

use std::f64::consts::TAU;

use super::{Curves, SAMPLES, phase_bytes};
use crate::gpu::Gpu;
use crate::ops::Length;
use crate::ops::testing::{
    Rng, assert_close, batch, blank, blank_series, codes, divided, name, phase, read, read_blank, run, series, vector,
};

fn curves(gpu: &Gpu, values: &[[f32; 2]]) -> Curves {
    let len = Length::new(gpu, values.len() as u32).unwrap();
    Curves { values: gpu.buffer_with("curves", values.as_flattened()).unwrap(), len }
}

#[test]
fn curves_of_two_series() {
    let mut rng = Rng(101);
    for gpu in &divided() {
        for (t, c) in [(1, 16), (5, 48), (66, 256)] {
            let (a, b, bias) = (rng.vec(t * c, 1.0), rng.vec(t * c, 1.0), rng.vec(2, 1.0));
            let (w, values) = codes(gpu, &mut rng, 2, 1, c);
            let y = blank(gpu, 2 * t);
            let made = Curves { values: y.clone(), len: Length::new(gpu, t as u32).unwrap() };
            let (sa, sb) = (series(gpu, t, c, &a), series(gpu, t, c, &b));
            run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| {
                r.curves("test", &sa, &sb, &w, &vector(gpu, &bias), &made).unwrap();
            });
            let dot = |x: &[f32], w: &[f64]| x.iter().zip(w).map(|(&x, w)| f64::from(x) * w).sum::<f64>();
            let (w_a, w_b) = values.split_at(c);
            let rows = a.chunks_exact(c).zip(b.chunks_exact(c));
            let want: Vec<f64> =
                rows.flat_map(|(a, b)| [dot(a, w_a) + f64::from(bias[0]), dot(b, w_b) + f64::from(bias[1])]).collect();
            assert_close(&read_blank(gpu, &y, 2 * t), &want, 1e-5, &format!("({t}, {c}) {}", name(gpu)));
        }
    }
}

#[test]
fn curves_at_half_their_rate() {
    let mut rng = Rng(102);
    for gpu in &divided() {
        for t in [1, 2, 65] {
            let values: Vec<[f32; 2]> = (0..2 * t).map(|_| [rng.unit() * 200.0, rng.unit()]).collect();
            let (w, bias) = (rng.vec(6, 1.0), rng.vec(2, 1.0));
            let (a, b) = (blank_series(gpu, t, 18), blank_series(gpu, t, 6));
            let curves = curves(gpu, &values);
            run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| {
                let (w, bias) = (vector(gpu, &w), vector(gpu, &bias));
                r.halved_curves("test", &curves, &w, &bias, [a.from(16), b.from(4)]).unwrap();
            });
            let of = |row: usize, i: usize| {
                let taps = (0..3).filter_map(|k| (2 * row + k).checked_sub(1).map(|at| (at, k)));
                taps.map(|(at, k)| f64::from(values[at][i]) * f64::from(w[3 * i + k])).sum::<f64>() + f64::from(bias[i])
            };
            let want: Vec<f64> = (0..t).flat_map(|row| [of(row, 0), of(row, 1)]).collect();
            for (s, width, first) in [(&a, 18, 16), (&b, 6, 4)] {
                let got = read(gpu, &s.rows, t);
                let columns: Vec<f32> =
                    got.chunks_exact(width).flat_map(|row| row[first..first + 2].to_vec()).collect();
                assert_close(&columns, &want, 1e-5, &format!("{t} rows, {}", name(gpu)));
            }
        }
    }
}

/// The source of a pitch, as `scripts/speech/kokoro.py` has it.
fn reference(values: &[[f32; 2]], w: &[f32], bias: f32) -> Vec<f64> {
    let turns = |pitch: f32, h: usize| (f64::from(pitch) * h as f64 / 24_000.0).rem_euclid(1.0) * 300.0;
    let mut sums = vec![0.0; values.len() * SAMPLES as usize];
    for h in 1..=9 {
        let mut total = 0.0;
        let phases: Vec<f64> = values
            .iter()
            .map(|v| {
                total += turns(v[0], h);
                total
            })
            .collect();
        for (s, sum) in sums.iter_mut().enumerate() {
            let at = ((s as f64 + 0.5) / 300.0 - 0.5).clamp(0.0, values.len() as f64 - 1.0);
            let (row, part) = (at.floor() as usize, at.fract());
            let next = phases.get(row + 1).copied().unwrap_or(phases[row]);
            let voiced = values[s / 300][0] > 10.0;
            let phase = phases[row] + part * (next - phases[row]);
            *sum += if voiced { 0.1 * f64::from(w[h - 1]) * (TAU * phase).sin() } else { 0.0 };
        }
    }
    sums.iter().map(|sum| (sum + f64::from(bias)).tanh()).collect()
}

#[test]
fn harmonics() {
    let mut rng = Rng(103);
    for gpu in &divided() {
        // Pitches of voices, none, and what a network might say.
        for (t, low, high) in
            [(1, 100.0, 200.0), (2, 80.0, 90.0), (65, 60.0, 400.0), (300, -20.0, 300.0), (20, 0.0, 1000.0)]
        {
            let values: Vec<[f32; 2]> = (0..t).map(|_| [low + (high - low) * (0.5 + 0.5 * rng.unit()), 0.0]).collect();
            let (w, bias) = (rng.vec(9, 3.0), rng.vec(1, 0.1));
            let n = t * SAMPLES as usize;
            let (y, phases) = (blank(gpu, n), blank(gpu, phase_bytes(t as u32) as usize / 4));
            let curves = curves(gpu, &values);
            run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| {
                r.source("test", &curves, &vector(gpu, &w), &vector(gpu, &bias), &phases, &y).unwrap();
            });
            let want = reference(&values, &w, bias[0]);
            assert_close(&read_blank(gpu, &y, n), &want, 5e-5, &format!("{t} rows {low} to {high}, {}", name(gpu)));
            read_blank(gpu, &phases, t * 16);
        }
    }
}
