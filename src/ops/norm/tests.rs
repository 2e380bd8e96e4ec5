//! Norms of series against f64.

use std::rc::Rc;

use super::{Affine, Style};
use crate::formats::gguf::GgmlType;
use crate::gpu::{Buffer, Gpu};
use crate::ops::testing::{Rng, assert_close, blank_series, divided, name, repack, run_series, series, vector};
use crate::ops::{Matrix, Series};

fn leaky(v: f64, leak: f64) -> f64 {
    if v < 0.0 { leak * v } else { v }
}

/// Each run of values less their mean, over their deviation.
fn normed(values: &[f64], eps: f64) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    values.iter().map(|v| (v - mean) / (variance + eps).sqrt()).collect()
}

#[test]
fn norms_of_rows() {
    let mut rng = Rng(71);
    for gpu in &divided() {
        for (t, c, scale) in [(1, 16, 1.0), (3, 48, 1e3), (5, 128, 1e-2), (2, 768, 1.0)] {
            let x: Vec<f32> = rng.vec(t * c, scale).iter().map(|v| v + 10.0 * scale).collect();
            let (weight, bias) = (rng.vec(c, 1.0), rng.vec(c, 1.0));
            let styles = rng.vec(4 + 2 * c, 1.0);
            let (xs, w, b) = (series(gpu, t, c, &x), vector(gpu, &weight), vector(gpu, &bias));
            let buffer = gpu.buffer_with("styles", &styles).unwrap();
            let rows: Vec<f64> = x
                .chunks_exact(c)
                .flat_map(|row| normed(&row.iter().map(|&v| v.into()).collect::<Vec<_>>(), 1e-5f32.into()))
                .collect();
            let weights = Affine::Weights { weight: &w, bias: &b };
            let style = Affine::Style(Style { styles: &buffer, first: 4 });
            for (affine, leak) in [(weights, None), (weights, Some(0.2)), (style, None)] {
                let y = blank_series(gpu, t, c);
                let got = run_series(gpu, &y, |r| r.layer_norm("test", &xs, affine, 1e-5, leak, y.all()).unwrap());
                let of = |(i, v): (usize, &f64)| {
                    let v = match affine {
                        Affine::Weights { .. } => v * f64::from(weight[i % c]) + f64::from(bias[i % c]),
                        Affine::Style(_) => v * (1.0 + f64::from(styles[4 + i % c])) + f64::from(styles[4 + c + i % c]),
                    };
                    leaky(v, leak.unwrap_or(1.0).into())
                };
                let want: Vec<f64> = rows.iter().enumerate().map(of).collect();
                assert_close(&got, &want, 2e-5, &format!("({t}, {c}) {leak:?} {}", name(gpu)));
            }
        }
    }
}

/// A series whose channels have means of their own, and a style for them.
struct Case {
    x: Vec<f32>,
    series: Series,
    styles: Rc<Buffer>,
    statistics: Rc<Buffer>,
    /// `norm(x)`, scaled and shifted.
    want: Vec<f64>,
}

impl Case {
    fn new(gpu: &Gpu, rng: &mut Rng, t: usize, c: usize) -> Case {
        let means = rng.vec(c, 5.0);
        let x: Vec<f32> = rng.vec(t * c, 1.0).iter().enumerate().map(|(i, v)| v + means[i % c]).collect();
        let styles = rng.vec(3 + 2 * c, 1.0);
        let mut want = vec![0.0; t * c];
        for channel in 0..c {
            let values: Vec<f64> = x.iter().skip(channel).step_by(c).map(|&v| v.into()).collect();
            let (gamma, beta) = (f64::from(styles[3 + channel]), f64::from(styles[3 + c + channel]));
            for (row, v) in normed(&values, 1e-5f32.into()).into_iter().enumerate() {
                want[row * c + channel] = (1.0 + gamma) * v + beta;
            }
        }
        Case {
            series: series(gpu, t, c, &x),
            styles: gpu.buffer_with("styles", &styles).unwrap(),
            statistics: gpu.buffer_with("statistics", &vec![0f32; 2 * c.next_multiple_of(16)]).unwrap(),
            x,
            want,
        }
    }

    fn style(&self) -> Style<'_> {
        Style { styles: &self.styles, first: 3 }
    }
}

const SIZES: [(usize, usize); 7] = [(2, 1), (3, 5), (63, 16), (64, 22), (65, 130), (257, 12), (130, 64)];

#[test]
fn norms_over_time() {
    let mut rng = Rng(72);
    for gpu in &divided() {
        for (t, c) in SIZES {
            let case = Case::new(gpu, &mut rng, t, c);
            assert_eq!(case.x.len(), t * c);
            let what = format!("({t}, {c}) {}", name(gpu));
            let y = blank_series(gpu, t, c);
            let got = run_series(gpu, &y, |r| {
                r.statistics("test", &case.series, &case.statistics).unwrap();
                r.adain_leaky("test", &case.series, &case.statistics, case.style(), 0.2, &y).unwrap();
            });
            let want: Vec<f64> = case.want.iter().map(|&v| leaky(v, 0.2f32.into())).collect();
            assert_close(&got, &want, 2e-5, &what);

            // Angles of many turns, too.
            let alpha: Vec<f32> = rng.vec(c, 1.0).iter().map(|v| 0.1 + 30.0 * v.abs()).collect();
            let (alphas, y) = (vector(gpu, &alpha), blank_series(gpu, t, c));
            let got = run_series(gpu, &y, |r| {
                r.statistics("test", &case.series, &case.statistics).unwrap();
                r.adain_snake("test", &case.series, &case.statistics, case.style(), &alphas, &y).unwrap();
            });
            let snake = |(i, v): (usize, &f64)| {
                let alpha = f64::from(alpha[i % c]);
                v + (alpha * v).sin().powi(2) / alpha
            };
            assert_close(&got, &case.want.iter().enumerate().map(snake).collect::<Vec<_>>(), 2e-5, &what);
        }
    }
}

#[test]
fn norms_that_make_two_rows_of_one() {
    let mut rng = Rng(73);
    for gpu in &divided() {
        for (t, c) in SIZES {
            let case = Case::new(gpu, &mut rng, t, c);
            let (taps, bias) = (rng.vec(3 * c, 1.0), rng.vec(c, 1.0));
            let matrix = Matrix::as_f32(gpu, "taps", GgmlType::F32, 3, c as u32).unwrap();
            repack(gpu, &matrix, bytemuck::cast_slice(&taps));
            let (b, y) = (vector(gpu, &bias), blank_series(gpu, 2 * t, c));
            let got = run_series(gpu, &y, |r| {
                r.statistics("test", &case.series, &case.statistics).unwrap();
                let pool = (&matrix, &b);
                r.adain_pool("test", &case.series, &case.statistics, case.style(), 0.2, pool, &y).unwrap();
            });
            // The transposed convolution as it is defined: row i goes to rows 2 i - 1 + tap.
            let mut want: Vec<f64> = (0..2 * t * c).map(|i| bias[i % c].into()).collect();
            for (row, tap) in (0..t).flat_map(|row| (0..3).map(move |tap| (row, tap))) {
                let Some(to) = (2 * row + tap).checked_sub(1).filter(|&to| to < 2 * t) else { continue };
                for i in 0..c {
                    want[to * c + i] += leaky(case.want[row * c + i], 0.2f32.into()) * f64::from(taps[tap * c + i]);
                }
            }
            assert_close(&got, &want, 2e-5, &format!("({t}, {c}) {}", name(gpu)));
        }
    }
}
