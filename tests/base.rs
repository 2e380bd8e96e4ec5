//! What every family of models stands on, without any: a small network that is no language model loads from a file and
//! runs. `cargo test --no-default-features --test base`, and in a browser by playwright/wasm.test.mjs

use std::rc::Rc;

use webgguf::formats::gguf::{Gguf, GgufWriter};
use webgguf::gpu::{Allocate, Gpu, Ledger, Usage};
use webgguf::load::{Destination, Load, Tally, load_bytes, read_header, stream_weights};
use webgguf::ops::{BatchBuffers, Input, Matrix, Output, Phase, Recorder, Tensor, Vector, n_groups};
use webgguf::source::MemorySource;

/// An image of `SIDE x SIDE` pixels in `CHANNELS` channels, a convolution of 3 x 3 with GELU, and one of 1 x 1.
const SIDE: usize = 9;
const CHANNELS: usize = 3;
const PATCH: usize = 3 * 3 * CHANNELS;
const PLACES: usize = (SIDE - 2) * (SIDE - 2);
const HIDDEN: usize = 20;
const CLASSES: usize = 5;

/// Numbers around 0 that look like nothing.
fn values(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0).collect()
}

/// The pixels that each place of the convolution sees: `(PLACES, PATCH)`.
fn patches(image: &[f32]) -> Vec<f32> {
    let mut all = Vec::new();
    for place in 0..PLACES {
        let (top, left) = (place / (SIDE - 2), place % (SIDE - 2));
        for y in top..top + 3 {
            all.extend_from_slice(&image[(y * SIDE + left) * CHANNELS..][..3 * CHANNELS]);
        }
    }
    all
}

fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x * x * x)).tanh())
}

/// `y (T, N) = x (T, K) . w^T + bias`
fn product(x: &[f64], w: &[f32], bias: &[f32], k: usize) -> Vec<f64> {
    let row = |x: &[f64]| -> Vec<f64> {
        let dot = |w: &[f32]| w.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum::<f64>();
        w.chunks_exact(k).zip(bias).map(|(w, &bias)| dot(w) + f64::from(bias)).collect()
    };
    x.chunks_exact(k).flat_map(row).collect()
}

/// A matrix of the file, its load noted.
fn matrix(from: &dyn Allocate, gguf: &Gguf, loads: &mut Vec<Load>, name: &str) -> Rc<Matrix> {
    let tensor = gguf.require(name).unwrap().clone();
    let runs = [(tensor.ty, tensor.rows() as u32)];
    let matrix = Rc::new(Matrix::new(from, name, &runs, tensor.cols() as u32).unwrap());
    loads.push(Load { tensor, destination: Destination::Rows { matrix: matrix.clone(), row0: 0, step: 1 } });
    matrix
}

/// A vector of the file, its load noted.
fn vector(from: &dyn Allocate, gguf: &Gguf, loads: &mut Vec<Load>, name: &str) -> Vector {
    let tensor = gguf.require(name).unwrap().clone();
    let len = tensor.cols() as u32;
    let buffer = from.buffer(name, u64::from(n_groups(len)) * 64, Usage::Storage).unwrap();
    loads.push(Load { tensor, destination: Destination::Bytes { buffer: buffer.clone(), at_bytes: 0 } });
    Vector { buffer, len }
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn a_network_that_is_no_language_model_loads_and_runs() {
    let (conv, conv_bias) = (values(HIDDEN * PATCH, 1), values(HIDDEN, 2));
    let (head, head_bias) = (values(CLASSES * HIDDEN, 3), values(CLASSES, 4));
    let file = GgufWriter::default()
        .string("general.architecture", "two-convolutions")
        .tensor("conv.weight", &[HIDDEN as u32, PATCH as u32], &conv)
        .tensor("conv.bias", &[HIDDEN as u32], &conv_bias)
        .tensor("head.weight", &[CLASSES as u32, HIDDEN as u32], &head)
        .tensor("head.bias", &[CLASSES as u32], &head_bias)
        .finish();
    let patches = patches(&values(SIDE * SIDE * CHANNELS, 5));
    let file = MemorySource(file);
    let (gguf, source) = read_header(&file, &()).await.unwrap();
    let gpu = Gpu::new().await.unwrap();

    // What it takes is known before it is allocated.
    let memory = Ledger::new(gpu.caps.max_binding_bytes);
    let mut loads = Vec::new();
    let conv_w = matrix(&memory, &gguf, &mut loads, "conv.weight");
    let conv_b = vector(&memory, &gguf, &mut loads, "conv.bias");
    let head_w = matrix(&memory, &gguf, &mut loads, "head.weight");
    let head_b = vector(&memory, &gguf, &mut loads, "head.bias");
    let places = PLACES as u32;
    let x = Tensor::new(&memory, "patches", places, PATCH as u32).unwrap();
    let hidden = Tensor::new(&memory, "hidden", places, HIDDEN as u32).unwrap();
    let y = Tensor::new(&memory, "classes", places, CLASSES as u32).unwrap();
    let batch = BatchBuffers::new(&memory, places).unwrap();
    memory.allocate(&gpu);
    assert_eq!(gpu.allocated_bytes(), memory.bytes());

    let tally = Tally::new(&(), load_bytes(&loads).unwrap());
    stream_weights(&gpu, &source, &loads, &tally).await.unwrap();
    assert_eq!(gpu.allocated_bytes(), memory.bytes(), "nothing of the load is left");

    let mut r = Recorder::new(&gpu, &batch, Phase::Prefill);
    let output = Output::Gelu { y: &hidden, bias: &conv_b };
    let h = r.matmul("conv", Input::Plain(&x), &conv_w, output).unwrap();
    r.matmul("head", h, &head_w, Output::Store { y: &y, bias: Some(&head_b) }).unwrap();

    let stride = x.stride() as usize;
    let mut rows = vec![0f32; PLACES * stride];
    for (row, patch) in rows.chunks_exact_mut(stride).zip(patches.chunks_exact(PATCH)) {
        row[..PATCH].copy_from_slice(patch);
    }
    gpu.write(&x.buffer, 0, &rows);
    batch.set_place(&gpu, 0, places);
    gpu.submit([&r.plan], places, None);
    let got: Vec<f32> = gpu.read(&y.buffer, PLACES * y.stride() as usize).await.unwrap();

    let x: Vec<f64> = patches.iter().map(|&v| v.into()).collect();
    let hidden: Vec<f64> = product(&x, &conv, &conv_bias, PATCH).into_iter().map(gelu).collect();
    let want = product(&hidden, &head, &head_bias, HIDDEN);
    for (got, want) in got.chunks_exact(y.stride() as usize).zip(want.chunks_exact(CLASSES)) {
        for (got, want) in got.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-4, "{got} is not {want}");
        }
    }
}
