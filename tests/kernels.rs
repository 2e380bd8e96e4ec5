//! Kernels against CPU references that accumulate in f64, over edge sizes, with and without subgroups.

mod common;

use common::{Npy, Rng, assert_close, blocks, gpus, read, record, repack, repository, supported, tensor, vector};
use serde_json::json;
use webgguf::gguf::{GgmlType, dequantize};
use webgguf::gpu::{Gpu, State};
use webgguf::ops::{Act, Index, Input, Matrix, Output, Phase, Recorder, StepBuffers, Tensor, Vector, self_test};

/// A matrix of blocks as they are in a file.
fn matrix(gpu: &Gpu, ty: GgmlType, rows: u32, cols: u32, blocks: &[u8]) -> Matrix {
    let matrix = Matrix::new(gpu, "test", &[(ty, rows)], cols).unwrap();
    repack(gpu, ty, &matrix, blocks);
    matrix
}

/// The values of a matrix as the GPU dequantises them: every row looked up.
fn gpu_values(gpu: &Gpu, m: &Matrix) -> Vec<f32> {
    let step = StepBuffers::new(gpu, m.rows).unwrap();
    gpu.write(&step.tokens, 0, &(0..m.rows).collect::<Vec<u32>>());
    let x = Tensor::new(gpu, "x", m.rows, m.cols).unwrap();
    let mut r = Recorder::new(gpu, &step, Phase::Prefill, m.rows);
    r.embed("embed", m, Index::Token, 1.0, &x).unwrap();
    gpu.submit([&r.plan], m.rows, None);
    read(gpu, &x, m.rows as usize)
}

#[test]
fn dequantised_values_are_gguf_pys_bit_for_bit() {
    let [gpu, _] = gpus();
    let dir = repository().join("tests/fixtures/quants");
    let mut n = 0;
    for ty in supported().filter(|ty| ty.block_elems() > 1) {
        let want = Npy::read(&dir.join(format!("{ty}.npy"))).data;
        let blocks = std::fs::read(dir.join(format!("{ty}.bin"))).unwrap();
        let differ = |got: &[f32]| got.iter().zip(&want).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        assert_eq!(differ(&dequantize(ty, &blocks).unwrap()), 0, "{ty} on the CPU, of {}", want.len());
        let (rows, cols) = (8, (want.len() / 8) as u32);
        let got = gpu_values(&gpu, &matrix(&gpu, ty, rows, cols, &blocks));
        assert_eq!(differ(&got), 0, "{ty} on the GPU, of {}", want.len());
        record("values", ty.name(), json!({"type": ty.name(), "exact": want.len(), "reference": "gguf-py"}));
        n += want.len();
    }
    println!("{n} values of quantised types equal gguf-py's bit for bit");
}

#[test]
fn unquantised_values_are_exact() {
    let [gpu, _] = gpus();
    let mut rng = Rng(3);
    for ty in [GgmlType::F32, GgmlType::F16, GgmlType::BF16] {
        let mut n = 0;
        for (rows, cols) in [(1, 1), (3, 17), (5, 172), (2, 576)] {
            let blocks = blocks(&mut rng, ty, rows, cols);
            let got = gpu_values(&gpu, &matrix(&gpu, ty, rows, cols, &blocks));
            assert!(got == dequantize(ty, &blocks).unwrap(), "{ty} {rows}x{cols}");
            n += got.len();
        }
        record("values", ty.name(), json!({"type": ty.name(), "exact": n, "reference": "the f32 value"}));
    }
}

/// `y (T, N) = x (T, K) . w^T` in f64.
fn matmul(x: &[f32], w: &[f32], k: usize) -> Vec<f64> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
    x.chunks_exact(k).flat_map(|x| w.chunks_exact(k).map(move |w| dot(x, w)).collect::<Vec<f64>>()).collect()
}

fn rms_norm(x: &[f32], weight: &[f32], eps: f32) -> Vec<f32> {
    let k = weight.len();
    x.chunks_exact(k)
        .flat_map(|x| {
            let mean: f64 = x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / k as f64;
            let r = 1.0 / (mean + f64::from(eps)).sqrt();
            x.iter().zip(weight).map(|(&x, &w)| (f64::from(x) * r * f64::from(w)) as f32).collect::<Vec<f32>>()
        })
        .collect()
}

fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32) -> Vec<f32> {
    let k = weight.len();
    x.chunks_exact(k)
        .flat_map(|x| {
            let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / k as f64;
            let var = x.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / k as f64;
            let r = 1.0 / (var + f64::from(eps)).sqrt();
            (0..k)
                .map(|i| ((f64::from(x[i]) - mean) * r * f64::from(weight[i]) + f64::from(bias[i])) as f32)
                .collect::<Vec<f32>>()
        })
        .collect()
}

fn silu(v: f64) -> f64 {
    v / (1.0 + (-v).exp())
}

fn gelu(v: f64) -> f64 {
    0.5 * v * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (v + 0.044715 * v.powi(3))).tanh())
}

/// What a matmul does with its product, by name.
const OUTPUTS: [&str; 9] =
    ["store", "bias", "add", "scaled_add", "bias_add", "scaled_bias_add", "gelu", "swiglu", "geglu"];

fn output<'a>(name: &str, y: &'a Tensor, bias: &'a Vector) -> Output<'a> {
    match name {
        "bias" => Output::Store { y, bias: Some(bias) },
        "add" => Output::Add { y, bias: None, scale: 1.0 },
        "scaled_add" => Output::Add { y, bias: None, scale: 0.25 },
        "bias_add" => Output::Add { y, bias: Some(bias), scale: 1.0 },
        "scaled_bias_add" => Output::Add { y, bias: Some(bias), scale: 0.25 },
        "gelu" => Output::Gelu { y, bias },
        "swiglu" => Output::Glu { y, act: Act::Silu },
        "geglu" => Output::Glu { y, act: Act::Gelu },
        _ => Output::Store { y, bias: None },
    }
}

/// What [`output`] should make of the product `v (T, N)` where y held `y0`.
fn outcome(name: &str, v: &[f64], y0: &[f32], bias: &[f32]) -> Vec<f64> {
    let b = |i: usize| f64::from(bias[i % bias.len()]);
    let each = |f: &dyn Fn(usize, f64) -> f64| v.iter().enumerate().map(|(i, &v)| f(i, v)).collect();
    let glu = |act: fn(f64) -> f64| v.chunks_exact(2).map(|p| act(p[0]) * p[1]).collect();
    match name {
        "bias" => each(&|i, v| v + b(i)),
        "add" => each(&|i, v| v + f64::from(y0[i])),
        "scaled_add" => each(&|i, v| 0.25 * v + f64::from(y0[i])),
        "bias_add" => each(&|i, v| v + b(i) + f64::from(y0[i])),
        "scaled_bias_add" => each(&|i, v| 0.25 * (v + b(i)) + f64::from(y0[i])),
        "gelu" => each(&|i, v| gelu(v + b(i))),
        "swiglu" => glu(silu),
        "geglu" => glu(gelu),
        _ => v.to_vec(),
    }
}

/// Run one matmul and return y, `(T, width)`.
fn run_matmul(gpu: &Gpu, n_tokens: usize, input: Input<'_>, w: &Matrix, output: Output<'_>, y: &Tensor) -> Vec<f32> {
    let step = StepBuffers::new(gpu, n_tokens as u32).unwrap();
    gpu.write(&step.state, 0, &[State { n_tokens: n_tokens as u32, ..State::default() }]);
    let phase = if n_tokens == 1 { Phase::Decode { far: false } } else { Phase::Prefill };
    let mut r = Recorder::new(gpu, &step, phase, n_tokens as u32);
    r.matmul("test", input, w, output).unwrap();
    gpu.submit([&r.plan], n_tokens as u32, None);
    read(gpu, y, n_tokens)
}

/// The GPUs, with work divided as for a CPU and as for a GPU.
fn divided() -> Vec<Gpu> {
    let as_gpu = gpus().map(|mut gpu| {
        gpu.caps.software = false;
        gpu.caps.f16 = true;
        gpu
    });
    gpus().into_iter().chain(as_gpu).collect()
}

#[test]
fn matmul_of_every_type() {
    let mut rng = Rng(5);
    let gpus = divided();
    for ty in supported() {
        let k = ty.block_elems().max(32) as u32;
        let (mut vec, mut tile) = (0f64, 0f64);
        for gpu in &gpus {
            for (t, n, k) in [(1, 1, k), (1, 63, 3 * k), (1, 65, 5 * k), (7, 67, k), (65, 129, 3 * k)] {
                let blocks = blocks(&mut rng, ty, n, k);
                let w = matrix(gpu, ty, n, k, &blocks);
                let x = rng.vec(t * k as usize, 1.0);
                let xt = tensor(gpu, t, k as usize, &x);
                let norm = rng.vec(k as usize, 2.0);
                let norm_v = vector(gpu, &norm);
                let y = Tensor::new(gpu, "y", t as u32, n).unwrap();
                let weights = dequantize(ty, &blocks).unwrap();
                // A norm's output is what is multiplied as integers.
                for (input, h) in [
                    (Input::Plain(&xt), x.clone()),
                    (Input::RmsNorm { x: &xt, weight: &norm_v, eps: 1e-5 }, rms_norm(&x, &norm, 1e-5)),
                ] {
                    let got = run_matmul(gpu, t, input, &w, Output::Store { y: &y, bias: None }, &y);
                    let want = matmul(&h, &weights, k as usize);
                    let what = format!(
                        "{ty} T={t} N={n} K={k} subgroups={} software={}",
                        gpu.caps.subgroup_min, gpu.caps.software
                    );
                    let error = assert_close(&got, &want, 1e-5, &what);
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
                let (up, down) = (blocks(&mut rng, ty, 2 * f as u32, k as u32), blocks(&mut rng, ty, 33, f as u32));
                let gate_up = matrix(gpu, ty, 2 * f as u32, k as u32, &up);
                let w_down = matrix(gpu, ty, 33, f as u32, &down);
                let (x, norm) = (rng.vec(k, 1.0), rng.vec(k, 2.0));
                let (xt, norm_v) = (tensor(gpu, 1, k, &x), vector(gpu, &norm));
                let h = Tensor::new(gpu, "h", 2, f as u32).unwrap();
                let y = Tensor::new(gpu, "y", 1, 33).unwrap();
                let step = StepBuffers::new(gpu, 1).unwrap();
                let mut r = Recorder::new(gpu, &step, Phase::Decode { far: false }, 1);
                let input = Input::RmsNorm { x: &xt, weight: &norm_v, eps: 1e-5 };
                let made = r.matmul("gate_up", input, &gate_up, Output::Glu { y: &h, act }).unwrap();
                // Without subgroups, workgroups are small.
                let digits = ty.block_elems() > 1 && !gpu.caps.software && (gpu.caps.subgroup_min > 0 || k < 256);
                assert_eq!(matches!(made, Input::Digits(_)), digits, "{ty} K={k} F={f}");
                r.matmul("down", made, &w_down, Output::Store { y: &y, bias: None }).unwrap();
                gpu.submit([&r.plan], 1, None);
                let v = matmul(&rms_norm(&x, &norm, 1e-5), &dequantize(ty, &up).unwrap(), k);
                let act = if act == Act::Silu { silu } else { gelu };
                let ffn: Vec<f32> = v.chunks_exact(2).map(|p| (act(p[0]) * p[1]) as f32).collect();
                let want = matmul(&ffn, &dequantize(ty, &down).unwrap(), f);
                let what = format!("{ty} K={k} F={f} subgroups={}", gpu.caps.subgroup_min);
                assert_close(&read(gpu, &h, 1), &ffn.iter().map(|&v| v.into()).collect::<Vec<_>>(), 1e-5, &what);
                assert_close(&read(gpu, &y, 1), &want, 1e-5, &what);
            }
        }
    }
}

#[test]
fn a_device_is_tried_before_it_is_trusted() {
    for gpu in divided() {
        let (subgroups, software, f16) = (gpu.caps.subgroup_min, gpu.caps.software, gpu.caps.f16);
        let (gpu, features) = pollster::block_on(self_test(gpu)).unwrap();
        println!("subgroups={subgroups} software={software}: {features:?}");
        assert_eq!(features.iter().map(|f| f.name).collect::<Vec<_>>(), ["subgroups", "f16 cache", "int8 products"]);
        assert_eq!(features[0].used, subgroups > 0);
        assert_eq!(features[1].used, gpu.caps.f16);
        assert!(!features[1].reason.contains("off by") && (f16 || !features[1].used), "{}", features[1].reason);
        assert_eq!(features[2].used, gpu.caps.int8_products);
        assert_eq!(software, features[2].reason == "a CPU plays GPU");
        assert!(!features[2].reason.contains("off by"), "{}", features[2].reason);
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
        ] {
            let blocks = blocks(&mut rng, GgmlType::F32, n, k);
            let w = matrix(gpu, GgmlType::F32, n, k, &blocks);
            let x = rng.vec(t * k as usize, scale);
            let xt = tensor(gpu, t, k as usize, &x);
            let y = Tensor::new(gpu, "y", t as u32, n).unwrap();
            let got = run_matmul(gpu, t, Input::Plain(&xt), &w, Output::Store { y: &y, bias: None }, &y);
            let want = matmul(&x, &dequantize(GgmlType::F32, &blocks).unwrap(), k as usize);
            let what = format!("T={t} N={n} K={k} subgroups={}", gpu.caps.subgroup_min);
            assert_close(&got, &want, 1e-5, &what);
        }
    }
}

#[test]
fn matmul_with_every_input_and_output() {
    let mut rng = Rng(7);
    let eps = 1e-5;
    for gpu in &divided() {
        for (t, n, k) in [(1, 70, 100), (1, 2, 576), (9, 70, 100), (66, 130, 96)] {
            let blocks = blocks(&mut rng, GgmlType::F16, n, k);
            let w = matrix(gpu, GgmlType::F16, n, k, &blocks);
            let weights = dequantize(GgmlType::F16, &blocks).unwrap();
            let x = rng.vec(t * k as usize, 3.0);
            let xt = tensor(gpu, t, k as usize, &x);
            let (norm, norm_bias) = (rng.vec(k as usize, 2.0), rng.vec(k as usize, 1.0));
            let (norm_v, norm_bias_v) = (vector(gpu, &norm), vector(gpu, &norm_bias));
            let bias = rng.vec(n as usize, 1.0);
            let bias_v = vector(gpu, &bias);
            let y0 = rng.vec(t * n as usize, 1.0);
            let inputs = [
                (Input::Plain(&xt), x.clone()),
                (Input::RmsNorm { x: &xt, weight: &norm_v, eps }, rms_norm(&x, &norm, eps)),
                (
                    Input::LayerNorm { x: &xt, weight: &norm_v, bias: &norm_bias_v, eps },
                    layer_norm(&x, &norm, &norm_bias, eps),
                ),
            ];
            for (input, h) in &inputs {
                let v = matmul(h, &weights, k as usize);
                for name in OUTPUTS {
                    let want = outcome(name, &v, &y0, &bias);
                    let y = tensor(gpu, t, want.len() / t, &y0[..want.len()]);
                    let got = run_matmul(gpu, t, *input, &w, output(name, &y, &bias_v), &y);
                    let what = format!("{name} T={t} N={n} K={k} subgroups={}", gpu.caps.subgroup_min);
                    assert_close(&got, &want, 1e-5, &what);
                }
            }
        }
    }
}
