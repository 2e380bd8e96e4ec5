//! Convolutions over time against the f64 reference, as for a CPU and as for a GPU.

use super::reference::{self, conv, gelu, transposed};
use super::{Product, Skip, Taps};
use crate::formats::gguf::GgmlType;
use crate::gpu::Gpu;
use crate::ops::testing::{
    Rng, assert_close, batch, blank_series, codes, divided, name, phase, repack, run_series, series, vector,
};
use crate::ops::{Matrix, Recorder};

fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| v.into()).collect()
}

/// Weights of F32, `(rows, cols)`.
fn floats(gpu: &Gpu, rows: usize, values: &[f32]) -> Matrix {
    let cols = values.len() / rows;
    let matrix = Matrix::as_f32(gpu, "test", GgmlType::F32, rows as u32, cols as u32).unwrap();
    repack(gpu, &matrix, bytemuck::cast_slice(values));
    matrix
}

const SIZES: [(usize, usize, usize, Taps); 10] = [
    (1, 1, 1, Taps::ONE),
    (63, 16, 65, Taps::ONE),
    (65, 31, 22, Taps::ONE),
    (130, 48, 64, Taps { kernel: 3, stride: 1, dilation: 1, pad: 1 }),
    (5, 22, 3, Taps { kernel: 7, stride: 1, dilation: 5, pad: 15 }),
    (64, 17, 66, Taps { kernel: 11, stride: 1, dilation: 3, pad: 15 }),
    (67, 5, 130, Taps { kernel: 12, stride: 6, dilation: 1, pad: 3 }),
    (9, 2, 1, Taps { kernel: 3, stride: 2, dilation: 1, pad: 1 }),
    (33, 34, 20, Taps { kernel: 5, stride: 1, dilation: 1, pad: 2 }),
    (12, 16, 4, Taps { kernel: 2, stride: 1, dilation: 1, pad: 1 }),
];

#[test]
fn convolutions_of_codes() {
    let mut rng = Rng(51);
    for gpu in &divided() {
        for (t, c, n, taps) in SIZES {
            let rows = taps.rows(t as u32) as usize;
            let (x, bias) = (rng.vec(t * c, 3.0), rng.vec(n, 1.0));
            let (w, values) = codes(gpu, &mut rng, n, taps.kernel as usize, c);
            let (full, half, before) =
                (rng.vec(rows * n, 2.0), rng.vec(rows.div_ceil(2) * n, 2.0), rng.vec(rows * n, 2.0));
            let (xs, b) = (series(gpu, t, c, &x), vector(gpu, &bias));
            let (skip, halves) = (series(gpu, rows, n, &full), series(gpu, rows.div_ceil(2), n, &half));
            let skip = Skip { series: &skip, repeat: 1, scale: 0.5 };
            let repeated = Skip { series: &halves, repeat: 2, scale: 1.0 };
            let sums = conv(&f64s(&x), c, &values, taps, rows);
            let products = [
                Product::Store,
                Product::Bias(&b),
                Product::Gelu(&b),
                Product::Residual(&b, skip),
                Product::Residual(&b, repeated),
                Product::ResidualAdd(&b, skip),
                Product::Add(&b),
            ];
            for (i, product) in products.into_iter().enumerate() {
                let y = series(gpu, rows, n, &before);
                let got = run_series(gpu, &y, |r| r.conv1d("test", &xs, &w, taps, product, y.all()).unwrap());
                let want = sums.iter().enumerate().map(|(at, sum)| {
                    let biased = sum + f64::from(bias[at % n]);
                    let half = f64::from(half[at / n / 2 * n + at % n]);
                    let residual = (biased + f64::from(full[at])) * 0.5;
                    [
                        *sum,
                        biased,
                        gelu(biased),
                        residual,
                        biased + half,
                        f64::from(before[at]) + residual,
                        f64::from(before[at]) + biased,
                    ][i]
                });
                let what = format!("({t}, {c}) -> ({rows}, {n}) {taps:?} {i} {}", name(gpu));
                assert_close(&got, &want.collect::<Vec<_>>(), 1e-5, &what);
            }
        }
    }
}

/// Results go to some columns; the others stay.
#[test]
fn columns_of_a_wider_series() {
    let mut rng = Rng(52);
    for gpu in &divided() {
        let (t, c, n, width) = (66, 20, 8, 19);
        let (x, before) = (rng.vec(t * c, 1.0), rng.vec(t * width, 1.0));
        let (w, values) = codes(gpu, &mut rng, n, 1, c);
        let (xs, y) = (series(gpu, t, c, &x), series(gpu, t, width, &before));
        let got = run_series(gpu, &y, |r| r.conv1d("test", &xs, &w, Taps::ONE, Product::Store, y.from(4)).unwrap());
        let sums = conv(&f64s(&x), c, &values, Taps::ONE, t);
        let want = |at: usize| match (at % width).checked_sub(4).filter(|&i| i < n) {
            Some(i) => sums[at / width * n + i],
            None => before[at].into(),
        };
        assert_close(&got, &(0..t * width).map(want).collect::<Vec<_>>(), 1e-5, &name(gpu));
    }
}

#[test]
fn convolutions_of_floats() {
    let mut rng = Rng(53);
    for gpu in &divided() {
        for (t, c, n, kernel) in [(1, 16, 22, 7), (65, 32, 5, 3), (130, 16, 66, 1)] {
            let taps = Taps::same(kernel, 1);
            let (x, bias) = (rng.vec(t * c, 1.0), rng.vec(n, 1.0));
            let w = rng.vec(n * kernel as usize * c, 0.3);
            let (xs, b, y) = (series(gpu, t, c, &x), vector(gpu, &bias), blank_series(gpu, t, n));
            let wm = floats(gpu, n, &w);
            let got = run_series(gpu, &y, |r| r.conv1d_of_leaky("test", &xs, 0.01, &wm, taps, &b, &y).unwrap());
            let sums = conv(&reference::leaky(&f64s(&x), 0.01f32.into()), c, &f64s(&w), taps, t);
            let want: Vec<f64> = sums.iter().enumerate().map(|(i, v)| v + f64::from(bias[i % n])).collect();
            assert_close(&got, &want, 1e-5, &format!("({t}, {c}) -> {n}, kernel {kernel}, {}", name(gpu)));
        }
    }
}

#[test]
fn transposed_convolutions() {
    let mut rng = Rng(54);
    for gpu in &divided() {
        for (t, c, n, stride, pad, mirror) in [
            (1, 16, 16, 6, 3, 1),
            (3, 16, 32, 10, 5, 0),
            (64, 32, 16, 6, 3, 1),
            (65, 16, 16, 2, 1, 0),
            (2, 16, 16, 2, 0, 1),
        ] {
            let (x, bias, w) = (rng.vec(t * c, 1.0), rng.vec(n, 1.0), rng.vec(c * n * 2 * stride, 0.3));
            // Row p N + n of the weights: tap p + stride, then tap p.
            let row = |p: usize, m: usize| {
                [p + stride, p].into_iter().flat_map(move |k| (0..c).map(move |i| (i * n + m) * 2 * stride + k))
            };
            let rows = (0..stride).flat_map(|p| (0..n).flat_map(move |m| row(p, m)));
            let wm = floats(gpu, stride * n, &rows.map(|at| w[at]).collect::<Vec<_>>());
            let long = stride * t + mirror;
            let residual = rng.vec(long * n, 1.0);
            let (xs, b) = (series(gpu, t, c, &x), vector(gpu, &bias));
            let (skip, y) = (series(gpu, long, n, &residual), blank_series(gpu, long, n));
            let got = run_series(gpu, &y, |r| {
                r.conv1d_transposed("test", &xs, 0.1, &wm, pad as u32, &b, &skip, &y).unwrap();
            });
            let mut want = transposed(&reference::leaky(&f64s(&x), 0.1f32.into()), c, &f64s(&w), n, stride, pad);
            if mirror == 1 {
                let second = want[n..2 * n].to_vec();
                want.splice(0..0, second);
            }
            let want: Vec<f64> =
                want.iter().enumerate().map(|(i, v)| v + f64::from(bias[i % n]) + f64::from(residual[i])).collect();
            assert_close(&got, &want, 1e-5, &format!("({t}, {c}) -> ({long}, {n}) by {stride}, {}", name(gpu)));
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let gpu = &divided()[0];
    let mut rng = Rng(55);
    let (x, y, long) = (blank_series(gpu, 4, 16), blank_series(gpu, 4, 8), blank_series(gpu, 5, 8));
    let (w, _) = codes(gpu, &mut rng, 8, 1, 16);
    let batch = batch(gpu, 0, 1);
    let mut r = Recorder::new(gpu, &batch, phase(1));
    let refused = |error: crate::Result<()>, says: &str| {
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("lin: ") && error.contains(says), "{error}");
    };
    refused(r.conv1d("lin", &x, &w, Taps::ONE, Product::Store, long.all()), "5 rows of x (4, 16)");
    refused(r.conv1d("lin", &y, &w, Taps::same(3, 1), Product::Store, y.all()), "4 rows of x (4, 8) by w (8, 16)");
    refused(r.conv1d("lin", &x, &w, Taps::ONE, Product::Store, y.from(4)), "8 columns from 4 on, there are 8");
    refused(r.conv1d("lin", &x, &w, Taps::ONE, Product::Store, x.from(2)), "8 columns from 2 on");
    assert_eq!(r.plan.n_dispatches(), 0);
}
