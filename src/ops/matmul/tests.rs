//! Matmuls, norms and gated units against the f64 reference, on each division of work.

use serde_json::json;

use super::reference::{self, activation, rms_norm};
use super::{Act, Input, Output};
use crate::formats::gguf::{GgmlType, dequantize};
use crate::gpu::Gpu;
use crate::ops::testing::{
    self, Rng, assert_close, batch, blocks, divided, gpus, matrix, middle, name, phase, read, read_before, record, run,
    supported, tensor, vector,
};
use crate::ops::{Matrix, Phase, Tensor, Vector};

const EPS: f32 = 1e-5;

/// Run one matmul and return y, `(T, width)`.
fn run_matmul(gpu: &Gpu, t: usize, input: Input<'_>, w: &Matrix, output: Output<'_>) -> Vec<f32> {
    let h = testing::output(gpu, t, w.cols as usize);
    run(gpu, &batch(gpu, 0, t), phase(t), t, |r| {
        let input = r.normed("norm", input, &h).unwrap();
        r.matmul("test", input, w, output).unwrap();
    });
    read(gpu, output.y(), t)
}

/// Every input of `x (T, K)`.
fn inputs<'a>(x: &'a Tensor, weight: &'a Vector, bias: &'a Vector) -> [Input<'a>; 3] {
    [Input::Plain(x), Input::RmsNorm { x, weight, eps: EPS }, Input::LayerNorm { x, weight, bias, eps: EPS }]
}

const N_OUTPUTS: usize = 11;

/// Every output to `y (T, N)`, and to `half (T, N / 2)` those of gated units.
fn outputs<'a>(y: &'a Tensor, half: &'a Tensor, bias: &'a Vector) -> [Output<'a>; N_OUTPUTS] {
    let (none, some) = (None, Some(bias));
    [
        Output::Store { y, bias: none },
        Output::Store { y, bias: some },
        Output::Add { y, bias: none, scale: 1.0 },
        Output::Add { y, bias: none, scale: 0.25 },
        Output::Add { y, bias: some, scale: 1.0 },
        Output::Add { y, bias: some, scale: 0.25 },
        Output::Gelu { y, bias },
        Output::Glu { y: half, act: Act::Silu },
        Output::Glu { y: half, act: Act::Gelu },
        Output::Logits { y, scale: 0.5, softcap: None },
        Output::Logits { y, scale: 0.5, softcap: Some(3.0) },
    ]
}

#[test]
fn matmul_of_every_type() {
    let mut rng = Rng(5);
    let gpus = divided();
    for ty in supported() {
        let k = ty.block_elems().max(32) as usize;
        let (mut vec, mut tile) = (0f64, 0f64);
        for gpu in &gpus {
            for (t, n, k) in [(1, 1, k), (1, 63, 3 * k), (1, 65, 5 * k), (7, 67, k), (65, 129, 3 * k)] {
                let blocks = blocks(&mut rng, ty, n, k);
                let w = matrix(gpu, ty, n, k, &blocks);
                let weights = dequantize(ty, &blocks).unwrap();
                let (x, norm) = (rng.vec(t * k, 1.0), rng.vec(k, 2.0));
                let (xt, norm_v) = (tensor(gpu, t, k, &x), vector(gpu, &norm));
                let y = testing::output(gpu, t, n);
                // A norm's output is what is multiplied as integers.
                for input in [Input::Plain(&xt), Input::RmsNorm { x: &xt, weight: &norm_v, eps: EPS }] {
                    let got = run_matmul(gpu, t, input, &w, Output::Store { y: &y, bias: None });
                    let want = reference::matmul(&reference::input(&input, &x, &norm, &[]), &weights, k);
                    let error = assert_close(&got, &want, 1e-5, &format!("{ty} T={t} N={n} K={k} {}", name(gpu)));
                    let worst = if t == 1 { &mut vec } else { &mut tile };
                    *worst = worst.max(error);
                }
            }
        }
        record("matmul", ty.name(), json!({"type": ty.name(), "matvec": vec, "matmul": tile}));
    }
}

/// Two matmuls where the second reads what the first leaves: digits, where a GPU multiplies integers.
#[test]
fn matmul_behind_a_gated_unit() {
    let mut rng = Rng(8);
    for gpu in &divided() {
        for ty in supported() {
            let k = ty.block_elems().max(16) as usize;
            // Of the results, 16 in a workgroup and no more; some workgroups' last; 16 t + 8.
            for (f, act) in [(k, Act::Silu), (5 * k, Act::Gelu), (k + 8, Act::Silu)] {
                if f % ty.block_elems() as usize != 0 {
                    continue;
                }
                let what = format!("{ty} K={k} F={f} {}", name(gpu));
                let (up, down) = (blocks(&mut rng, ty, 2 * f, k), blocks(&mut rng, ty, 33, f));
                let (gate_up, w_down) = (matrix(gpu, ty, 2 * f, k, &up), matrix(gpu, ty, 33, f, &down));
                let (x, norm) = (rng.vec(k, 1.0), rng.vec(k, 2.0));
                let (xt, norm_v) = (tensor(gpu, 1, k, &x), vector(gpu, &norm));
                let (h, y) = (testing::output(gpu, 1, f), testing::output(gpu, 1, 33));
                // Without subgroups, workgroups are small.
                let digits = ty.block_elems() > 1 && !gpu.caps.software && (gpu.caps.subgroup_min > 0 || k < 256);
                run(gpu, &batch(gpu, 0, 1), Phase::Decode { far: false }, 1, |r| {
                    let input = Input::RmsNorm { x: &xt, weight: &norm_v, eps: EPS };
                    let made = r.matmul("gate_up", input, &gate_up, Output::Glu { y: &h, act }).unwrap();
                    assert_eq!(matches!(made, Input::Digits(_)), digits, "{what}");
                    r.matmul("down", made, &w_down, Output::Store { y: &y, bias: None }).unwrap();
                });
                let v = reference::matmul(&rms_norm(&x, &norm, EPS), &dequantize(ty, &up).unwrap(), k);
                let ffn: Vec<f64> = v.chunks_exact(2).map(|v| activation(act, v[0]) * v[1]).collect();
                let want = reference::matmul(&ffn, &dequantize(ty, &down).unwrap(), f);
                // Digits take a row of their own.
                assert_close(&read_before(gpu, &h, 1, if digits { 2 } else { 1 }), &ffn, 1e-5, &what);
                assert_close(&read(gpu, &y, 1), &want, 1e-5, &what);
            }
        }
    }
}

#[test]
fn matmul_over_edge_sizes() {
    let mut rng = Rng(6);
    for gpu in &divided() {
        // 1, a workgroup's rows and its neighbours, primes, the dims of real models; large magnitudes.
        for (t, n, k, scale) in [
            (1, 1, 1, 1.0),
            (1, 8, 16, 1.0),
            (1, 9, 17, 1.0),
            (1, 31, 172, 1e4),
            (1, 1009, 577, 1.0),
            (1, 1728, 576, 1e-4),
            (1, 17_001, 64, 1.0),
            (2, 64, 16, 1.0),
            (63, 65, 15, 1.0),
            (64, 63, 172, 1e4),
            (65, 64, 64, 1.0),
            (127, 191, 211, 1.0),
            (33, 2047, 17, 1.0), // the last rows of small tiles, and the first of large ones
            (63, 2048, 16, 1.0),
            (129, 2049, 33, 1.0),
        ] {
            let blocks = blocks(&mut rng, GgmlType::F32, n, k);
            let w = matrix(gpu, GgmlType::F32, n, k, &blocks);
            let x = rng.vec(t * k, scale);
            let (xt, y) = (tensor(gpu, t, k, &x), testing::output(gpu, t, n));
            let input = Input::Plain(&xt);
            let got = run_matmul(gpu, t, input, &w, Output::Store { y: &y, bias: None });
            let weights = dequantize(GgmlType::F32, &blocks).unwrap();
            let want = reference::matmul(&reference::input(&input, &x, &[], &[]), &weights, k);
            assert_close(&got, &want, 1e-5, &format!("T={t} N={n} K={k} {}", name(gpu)));
        }
    }
}

#[test]
fn matmul_with_every_input_and_output() {
    let mut rng = Rng(17);
    for gpu in &divided() {
        for (t, n, k) in [(1, 70, 100), (1, 2, 576), (9, 70, 100), (66, 130, 96), (66, 2050, 18)] {
            let blocks = blocks(&mut rng, GgmlType::F16, n, k);
            let w = matrix(gpu, GgmlType::F16, n, k, &blocks);
            let weights = dequantize(GgmlType::F16, &blocks).unwrap();
            let (x, norm, norm_bias) = (rng.vec(t * k, 3.0), rng.vec(k, 2.0), rng.vec(k, 1.0));
            let (bias, y0) = (rng.vec(n, 1.0), rng.vec(t * n, 1.0));
            let (xt, norm_v, norm_bias_v) = (tensor(gpu, t, k, &x), vector(gpu, &norm), vector(gpu, &norm_bias));
            let bias_v = vector(gpu, &bias);
            for (i, input) in inputs(&xt, &norm_v, &norm_bias_v).into_iter().enumerate() {
                let v = reference::matmul(&reference::input(&input, &x, &norm, &norm_bias), &weights, k);
                for o in 0..N_OUTPUTS {
                    let (y, half) = (tensor(gpu, t, n, &y0), testing::output(gpu, t, n / 2));
                    let output = outputs(&y, &half, &bias_v)[o];
                    let got = run_matmul(gpu, t, input, &w, output);
                    let want = reference::output(&output, &v, &y0, &bias);
                    let what = format!("input {i}, output {o}, T={t} N={n} K={k} {}", name(gpu));
                    assert_close(&got, &want, 1e-5, &what);
                }
            }
        }
    }
}

#[test]
fn a_part_of_a_matrix_leaves_the_columns_around_its_own_alone() {
    let mut rng = Rng(14);
    let ([before, n, after], k) = ([6, 70, 10], 96);
    let rows = before + n + after;
    for gpu in &divided() {
        for (ty, t) in [(GgmlType::F16, 1), (GgmlType::F16, 9), (GgmlType::Q8_0, 1)] {
            let blocks = blocks(&mut rng, ty, rows, k);
            let w = middle(gpu, ty, [before, n, after], k, &blocks);
            let weights = &dequantize(ty, &blocks).unwrap()[before * k..(before + n) * k];
            let (x, y0, bias) = (rng.vec(t * k, 1.0), rng.vec(t * rows, 1.0), rng.vec(rows, 1.0));
            let (xt, bias_v) = (tensor(gpu, t, k, &x), vector(gpu, &bias));
            let input = Input::Plain(&xt);
            let v = reference::matmul(&reference::input(&input, &x, &[], &[]), weights, k);
            for o in 0..N_OUTPUTS {
                let (y, half) = (tensor(gpu, t, rows, &y0), tensor(gpu, t, rows / 2, &y0[..t * rows / 2]));
                let output = outputs(&y, &half, &bias_v)[o];
                let what = format!("output {o}, {ty} T={t} {}", name(gpu));
                let got = run_matmul(gpu, t, input, &w, output);
                let width = output.width(rows as u32) as usize;
                let own = width * before / rows..width * (before + n) / rows;
                let columns = |all: &[f32]| all.chunks_exact(width).flat_map(|row| row[own.clone()].to_vec()).collect();
                let (got_own, y_own): (Vec<f32>, Vec<f32>) = (columns(&got), columns(&y0));
                let want = reference::output(&output, &v, &y_own, &bias[before..before + n]);
                assert_close(&got_own, &want, 1e-5, &what);
                for (i, (got, before)) in got.iter().zip(&y0).enumerate() {
                    assert!(own.contains(&(i % width)) || got == before, "{what}: column {} is overwritten", i % width);
                }
            }
        }
    }
}

#[test]
fn norms_are_added() {
    let mut rng = Rng(15);
    for gpu in &gpus() {
        // A workgroup's 64 and their neighbours, and rows of several.
        for (t, k) in [(1, 1), (1, 577), (3, 63), (9, 64), (65, 65), (2, 2048)] {
            let (x, norm, bias, y0) = (rng.vec(t * k, 3.0), rng.vec(k, 2.0), rng.vec(k, 1.0), rng.vec(t * k, 1.0));
            let (xt, norm_v, bias_v) = (tensor(gpu, t, k, &x), vector(gpu, &norm), vector(gpu, &bias));
            for (i, input) in inputs(&xt, &norm_v, &bias_v).into_iter().enumerate() {
                let what = format!("input {i}, T={t} K={k} {}", name(gpu));
                let y = tensor(gpu, t, k, &y0);
                run(gpu, &batch(gpu, 0, t), phase(t), t, |r| r.add_input("test", input, &y, 0.5).unwrap());
                let want = reference::input(&input, &x, &norm, &bias);
                let want: Vec<f64> = y0.iter().zip(want).map(|(&y, v)| f64::from(y) + 0.5 * v).collect();
                assert_close(&read(gpu, &y, t), &want, 1e-5, &what);
            }
        }
    }
}

#[test]
fn gated_units_of_two_matrices() {
    let mut rng = Rng(16);
    let [gpu, _] = gpus();
    for (t, f) in [(1, 1), (1, 64), (7, 63), (65, 65), (3, 1009)] {
        for act in [Act::Silu, Act::Gelu] {
            let (up, y0) = (rng.vec(t * f, 4.0), rng.vec(t * f, 4.0));
            let (up_t, y) = (tensor(&gpu, t, f, &up), tensor(&gpu, t, f, &y0));
            run(&gpu, &batch(&gpu, 0, t), phase(t), t, |r| r.glu("test", act, &up_t, &y).unwrap());
            assert_close(&read(&gpu, &y, t), &reference::glu(act, &up, &y0), 1e-5, &format!("{act:?} T={t} F={f}"));
        }
    }
}
