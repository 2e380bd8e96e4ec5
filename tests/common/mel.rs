//! How far two sounds are from each other, as they are heard: in decibels, band by band.

use std::f64::consts::PI;

const FRAME: usize = 1024;
const HOP: usize = 256;
const BANDS: usize = 80;
/// Power, relative to the loudest band of the first sound, below which nothing is told apart: -60 dB.
const FLOOR: f64 = 1e-6;

/// The mean distance of the bands' levels in dB, and that of the worst frame.
pub fn distance(a: &[f32], b: &[f32], rate: f64) -> (f64, f64) {
    assert_eq!(a.len(), b.len());
    let (a, b) = (bands(a, rate), bands(b, rate));
    let floor = a.iter().flatten().fold(0.0, |m: f64, &v| m.max(v)) * FLOOR;
    let level = |v: f64| 10.0 * (v + floor).log10();
    let frame = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        a.iter().zip(b).map(|(&a, &b)| (level(a) - level(b)).abs()).sum::<f64>() / BANDS as f64
    };
    let frames: Vec<f64> = a.iter().zip(&b).map(frame).collect();
    (frames.iter().sum::<f64>() / frames.len() as f64, frames.iter().fold(0.0, |m: f64, &v| m.max(v)))
}

/// The power of each band, frame by frame: triangles that are even on the mel scale (O'Shaughnessy's).
fn bands(x: &[f32], rate: f64) -> Vec<Vec<f64>> {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f64| 700.0 * (10f64.powf(mel / 2595.0) - 1.0);
    let edge = |i: usize| hz(mel(rate / 2.0) * i as f64 / (BANDS + 1) as f64) / rate * FRAME as f64;
    let window: Vec<f64> = (0..FRAME).map(|i| 0.5 - 0.5 * (2.0 * PI * i as f64 / FRAME as f64).cos()).collect();
    let starts = (0..x.len().saturating_sub(FRAME)).step_by(HOP);
    starts
        .map(|start| {
            let power = power(x[start..start + FRAME].iter().zip(&window).map(|(&v, w)| f64::from(v) * w).collect());
            let band = |i: usize| {
                let (low, middle, high) = (edge(i), edge(i + 1), edge(i + 2));
                let weight = |bin: f64| ((bin - low) / (middle - low)).min((high - bin) / (high - middle)).max(0.0);
                power.iter().enumerate().map(|(bin, p)| p * weight(bin as f64)).sum()
            };
            (0..BANDS).map(band).collect()
        })
        .collect()
}

/// The power spectrum of a frame, by the fast Fourier transform (Cooley and Tukey, radix 2).
fn power(frame: Vec<f64>) -> Vec<f64> {
    let mut z: Vec<(f64, f64)> = frame.into_iter().map(|v| (v, 0.0)).collect();
    let n = z.len();
    let bits = n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits() >> (usize::BITS - bits);
        if i < j {
            z.swap(i, j);
        }
    }
    let mut half = 1;
    while half < n {
        for start in (0..n).step_by(2 * half) {
            for k in 0..half {
                let (sin, cos) = (-PI * k as f64 / half as f64).sin_cos();
                let (a, b) = (z[start + k], z[start + k + half]);
                let t = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                z[start + k] = (a.0 + t.0, a.1 + t.1);
                z[start + k + half] = (a.0 - t.0, a.1 - t.1);
            }
        }
        half *= 2;
    }
    z[..=n / 2].iter().map(|(re, im)| re * re + im * im).collect()
}
