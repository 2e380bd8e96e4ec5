//! Small cuts of Kokoro's blocks against ONNX Runtime: `tests/fixtures/kokoro/`, by `scripts/speech/cuts.py`. Natively and, by
//! playwright/wasm.test.mjs, in a browser.

#[path = "common/data.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod data;

use std::rc::Rc;

use data::{Npy, assert_close};
use webgguf::Result;
use webgguf::formats::gguf::GgmlType;
use webgguf::gpu::{Buffer, Gpu};
use webgguf::ops::{
    BatchBuffers, Length, Matrix, Product, Recurrent, Repacker, Series, StagedRows, Taps, Tensor, Vector,
};
use webgguf::speech::kokoro::{Block, Linear, Pass, Pool, StyleAt};

const TOLERANCE: f64 = 1e-4;

macro_rules! files {
    ($($name:literal,)*) => {
        [$(($name, include_bytes!(concat!("fixtures/kokoro/", $name, ".npy")).as_slice()),)*]
    };
}

const FILES: [(&str, &[u8]); 32] = files![
    "block.conv1",
    "block.conv1_bias",
    "block.conv1_scale",
    "block.conv2",
    "block.conv2_bias",
    "block.conv2_scale",
    "block.pool",
    "block.pool_bias",
    "block.shortcut",
    "block.shortcut_scale",
    "block.style1",
    "block.style2",
    "block.x",
    "block.y",
    "duration.bias",
    "duration.project",
    "duration.scale",
    "duration.x",
    "duration.y",
    "lstm.bias",
    "lstm.hidden",
    "lstm.hidden_scale",
    "lstm.input",
    "lstm.input_scale",
    "lstm.x",
    "lstm.y",
    "tail.basis",
    "tail.post",
    "tail.post_bias",
    "tail.window_sum",
    "tail.x",
    "tail.y",
];

fn cut(file: &str) -> Vec<f32> {
    let (_, bytes) = FILES.iter().find(|(name, _)| *name == file).expect("a file of FILES");
    Npy::parse(bytes).data
}

fn bytes(file: &str) -> Vec<u8> {
    cut(file).into_iter().map(|code| (code as i8).cast_unsigned()).collect()
}

/// The GPU as it is and without subgroups, with work divided as for a CPU, if it is one, and as for a GPU.
async fn divided() -> Vec<(String, Gpu)> {
    let mut gpus = Vec::new();
    for (subgroups, software) in [(true, true), (false, true), (true, false), (false, false)] {
        let mut gpu = Gpu::new().await.unwrap();
        gpu.caps.software &= software;
        if !subgroups {
            gpu = gpu.without_subgroups();
        }
        gpus.push((format!("subgroups={} software={}", gpu.caps.subgroup_min, gpu.caps.software), gpu));
    }
    gpus
}

/// Fill a matrix from bytes as they are in a file.
fn fill(gpu: &Gpu, matrix: &Matrix, bytes: &[u8]) {
    let staging = gpu.buffer_with("staging", &[bytes, &[0; 4]].concat()).unwrap();
    let rows = StagedRows { staging: &staging, at_bytes: 0, rows: 0..matrix.rows, row0: 0, step: 1 };
    Repacker::new(gpu).unwrap().rows(gpu, &rows, matrix, 0).unwrap();
}

fn vector(gpu: &Gpu, file: &str) -> Vector {
    let mut values = cut(file);
    let len = values.len() as u32;
    values.resize(values.len().next_multiple_of(16), 0.0);
    Vector { buffer: gpu.buffer_with(file, &values).unwrap(), len }
}

/// Codes and their scales, a scale a row.
fn codes(gpu: &Gpu, file: &str, scale: &str) -> Rc<Matrix> {
    let (codes, scales) = (bytes(file), cut(scale));
    let matrix = Matrix::of_codes(gpu, file, scales.len() as u32, (codes.len() / scales.len()) as u32).unwrap();
    fill(gpu, &matrix, &codes);
    gpu.write(matrix.parts[0].sc.as_ref().unwrap(), 0, &scales);
    Rc::new(matrix)
}

fn floats(gpu: &Gpu, file: &str, rows: usize) -> Rc<Matrix> {
    let values = cut(file);
    let matrix = Matrix::as_f32(gpu, file, GgmlType::F32, rows as u32, (values.len() / rows) as u32).unwrap();
    fill(gpu, &matrix, &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>());
    Rc::new(matrix)
}

fn input(gpu: &Gpu, file: &str, width: usize) -> Series {
    let values = cut(file);
    let x = blank(gpu, values.len() / width, width);
    let stride = x.rows.stride() as usize;
    let mut rows = vec![0f32; values.len() / width * stride];
    for (to, from) in rows.chunks_exact_mut(stride).zip(values.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
    gpu.write(&x.rows.buffer, 0, &rows);
    x
}

fn blank(gpu: &Gpu, rows: usize, width: usize) -> Series {
    let tensor = Tensor::new(gpu, "series", rows as u32, width as u32).unwrap();
    Series { rows: tensor, len: Length::new(gpu, rows as u32).unwrap() }
}

/// Record a block and run it.
fn run<T>(gpu: &Gpu, block: impl FnOnce(&mut Pass<'_>) -> Result<T>) -> T {
    let (batch, pool) = (BatchBuffers::new(gpu, 1).unwrap(), Pool::default());
    let mut p = Pass::new(gpu, &batch, &pool);
    let y = block(&mut p).unwrap();
    p.finish().iter().for_each(|plan| gpu.submit([plan], 1, None));
    y
}

async fn check(gpu: &Gpu, got: &Buffer, file: &str, divided: &str) {
    let want: Vec<f64> = cut(file).into_iter().map(f64::from).collect();
    let got: Vec<f32> = gpu.read(got, want.len()).await.unwrap();
    assert_close(&got, &want, TOLERANCE, &format!("{file}, {divided}"));
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn an_lstm() {
    for (divided, gpu) in &divided().await {
        let hidden = 32;
        let x = input(gpu, "lstm.x", 16);
        let recurrent = Recurrent {
            codes: gpu.buffer_with("codes", &bytes("lstm.hidden")).unwrap(),
            scales: gpu.buffer_with("scales", &cut("lstm.hidden_scale")).unwrap(),
            hidden,
        };
        let (w, bias) = (codes(gpu, "lstm.input", "lstm.input_scale"), vector(gpu, "lstm.bias"));
        let t = x.len() as usize;
        let (gates, y) = (blank(gpu, t, 8 * hidden as usize), blank(gpu, t, 2 * hidden as usize));
        run(gpu, |p| {
            p.r.conv1d("input", &x, &w, Taps::ONE, Product::Bias(&bias), gates.all())?;
            p.r.lstm("lstm", &gates, &recurrent, &y)
        });
        check(gpu, &y.rows.buffer, "lstm.y", divided).await;
    }
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn a_block_that_makes_its_input_twice_as_long() {
    for (divided, gpu) in &divided().await {
        let linear = |conv: &str| Linear {
            w: codes(gpu, &format!("block.{conv}"), &format!("block.{conv}_scale")),
            bias: vector(gpu, &format!("block.{conv}_bias")),
        };
        let (style1, style2) = (cut("block.style1"), cut("block.style2"));
        let block = Block {
            norm1: StyleAt(0),
            norm2: StyleAt(style1.len() as u32),
            conv1: linear("conv1"),
            conv2: linear("conv2"),
            shortcut: Some(codes(gpu, "block.shortcut", "block.shortcut_scale")),
            pool: Some((floats(gpu, "block.pool", 3), vector(gpu, "block.pool_bias"))),
            width: 16,
        };
        let styles = gpu.buffer_with("styles", &[style1, style2].concat()).unwrap();
        let x = input(gpu, "block.x", 32);
        let y = run(gpu, |p| p.block_of("block", &x, None, &block, &styles));
        check(gpu, &y.rows.buffer, "block.y", divided).await;
    }
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn the_end_of_the_generator() {
    for (divided, gpu) in &divided().await {
        let x = input(gpu, "tail.x", 32);
        let post = Linear { w: floats(gpu, "tail.post", 22), bias: vector(gpu, "tail.post_bias") };
        let (basis, sums) = (floats(gpu, "tail.basis", 22), vector(gpu, "tail.window_sum"));
        let audio = run(gpu, |p| {
            let spectrum = p.post(&x, &post)?;
            let audio = p.buffer(u64::from(5 * (x.len() - 1)) * 4)?;
            p.r.istft("istft", &spectrum, &basis, &sums, &audio)?;
            Ok(audio)
        });
        check(gpu, &audio, "tail.y", divided).await;
    }
}

#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
async fn durations_of_tokens() {
    for (divided, gpu) in &divided().await {
        let x = input(gpu, "duration.x", 128);
        let (w, bias) = (codes(gpu, "duration.project", "duration.scale"), vector(gpu, "duration.bias"));
        let n = x.len() as usize;
        let (logits, y) = (blank(gpu, n, 50), gpu.buffer_with("sums", &vec![0f32; n]).unwrap());
        run(gpu, |p| {
            p.r.conv1d("project", &x, &w, Taps::ONE, Product::Bias(&bias), logits.all())?;
            p.r.sum_sigmoids("sums", &logits, &y)
        });
        check(gpu, &y, "duration.y", divided).await;
    }
}
