//! Transforms against f64.

use std::f64::consts::{PI, TAU};

use super::{STFT_BINS, STFT_HOP, STFT_SIZE};
use crate::formats::gguf::GgmlType;
use crate::ops::testing::{
    Rng, assert_close, batch, blank, blank_series, divided, name, phase, read, read_blank, repack, run, series, vector,
};
use crate::ops::{Length, Matrix};

const BINS: usize = STFT_BINS as usize;
const SIZE: usize = STFT_SIZE as usize;
const HOP: usize = STFT_HOP as usize;

#[test]
fn forward() {
    let mut rng = Rng(111);
    for gpu in &divided() {
        for samples in [15, 320, 325, 600] {
            let (x, window) = (rng.vec(samples, 1.0), rng.vec(SIZE, 1.0));
            let frames = samples / HOP + 1;
            let (xb, y) = (gpu.buffer_with("x", &x).unwrap(), blank_series(gpu, frames, 2 * BINS));
            let len = Length::new(gpu, samples as u32).unwrap();
            run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| r.stft("test", &xb, &len, &vector(gpu, &window), &y).unwrap());
            let got = read(gpu, &y.rows, frames);
            let reflected = |at: isize| {
                let last = samples as isize - 1;
                f64::from(x[(last - (last - at.abs()).abs()) as usize])
            };
            let (mut magnitudes, mut spectrum, mut rotated) = (Vec::new(), Vec::new(), Vec::new());
            for (frame, bin) in (0..frames).flat_map(|frame| (0..BINS).map(move |bin| (frame, bin))) {
                let sum = |f: fn(f64) -> f64| -> f64 {
                    let angle = |i: usize| TAU * (bin * i % SIZE) as f64 / SIZE as f64;
                    let at = |i: usize| reflected((frame * HOP + i) as isize - SIZE as isize / 2);
                    (0..SIZE).map(|i| at(i) * f64::from(window[i]) * f(angle(i))).sum()
                };
                let (re, im) = (sum(f64::cos), -sum(f64::sin));
                let (magnitude, angle) = (got[frame * 2 * BINS + bin], f64::from(got[frame * 2 * BINS + BINS + bin]));
                magnitudes.push(magnitude);
                spectrum.extend([re, im]);
                rotated.extend([angle.cos(), angle.sin()].map(|v| (v * f64::from(magnitude)) as f32));
                assert!(angle.abs() <= PI + 1e-6);
            }
            let want: Vec<f64> = spectrum.chunks_exact(2).map(|v| v[0].hypot(v[1])).collect();
            let what = format!("{samples} samples, {}", name(gpu));
            assert_close(&magnitudes, &want, 1e-5, &what);
            assert_close(&rotated, &spectrum, 1e-5, &what);
        }
    }
}

/// Where a bin is real and negative: the first one's angle is pi, the last one's -pi. Silence has none.
#[test]
fn angles_at_their_ends() {
    for gpu in &divided() {
        let angles = |x: &[f32]| {
            let (xb, y) = (gpu.buffer_with("x", x).unwrap(), blank_series(gpu, x.len() / HOP + 1, 2 * BINS));
            let len = Length::new(gpu, x.len() as u32).unwrap();
            let window = vector(gpu, &[1.0; SIZE]);
            run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| r.stft("test", &xb, &len, &window, &y).unwrap());
            let got = read(gpu, &y.rows, x.len() / HOP + 1);
            (got[3 * 2 * BINS + BINS], got[3 * 2 * BINS + 2 * BINS - 1])
        };
        let pi = std::f32::consts::PI;
        assert_eq!(angles(&[-1.0; 40]).0, pi, "{}", name(gpu));
        let alternating: Vec<f32> = (0..40).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert_eq!(angles(&alternating).1, -pi, "{}", name(gpu));
        assert_eq!(angles(&[0.0; 40]), (0.0, 0.0), "{}", name(gpu));
    }
}

#[test]
fn inverse() {
    let mut rng = Rng(112);
    for gpu in &divided() {
        for frames in [2, 4, 64, 65, 66, 121, 130] {
            let (x, basis) = (rng.vec(frames * 2 * BINS, 3.0), rng.vec(2 * BINS * SIZE, 1.0));
            let sums: Vec<f32> = rng.vec(SIZE, 1.0).iter().map(|v| 0.5 + v.abs()).collect();
            let samples = (frames - 1) * HOP;
            let matrix = Matrix::as_f32(gpu, "basis", GgmlType::F32, 2 * STFT_BINS, STFT_SIZE).unwrap();
            repack(gpu, &matrix, bytemuck::cast_slice(&basis));
            let (xs, y) = (series(gpu, frames, 2 * BINS, &x), blank(gpu, samples));
            run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| {
                r.istft("test", &xs, &matrix, &vector(gpu, &sums), &y).unwrap();
            });
            let mut all = vec![0.0; HOP * (frames - 1) + SIZE];
            for (frame, row) in x.chunks_exact(2 * BINS).enumerate() {
                for bin in 0..BINS {
                    let (magnitude, angle) = (f64::from(row[bin]).exp(), f64::from(row[BINS + bin]).sin());
                    for i in 0..SIZE {
                        let (re, im) = (basis[bin * SIZE + i], basis[(BINS + bin) * SIZE + i]);
                        all[frame * HOP + i] += magnitude * (angle.cos() * f64::from(re) + angle.sin() * f64::from(im));
                    }
                }
            }
            let scaled = |i: usize| if i < SIZE { all[i] / f64::from(sums[i]) } else { all[i] };
            let want: Vec<f64> = (SIZE / 2..SIZE / 2 + samples).map(|i| 4.0 * scaled(i)).collect();
            assert_close(&read_blank(gpu, &y, samples), &want, 1e-5, &format!("{frames} frames, {}", name(gpu)));
        }
    }
}
