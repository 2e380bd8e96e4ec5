//! Small cuts of real blocks against ONNX Runtime: `tests/fixtures/kokoro/`, by `scripts/speech/cuts.py`.

use std::rc::Rc;

use super::pass::Pass;
use super::pool::Pool;
use super::weights::{Block, Linear, StyleAt};
use crate::formats::gguf::GgmlType;
use crate::gpu::Gpu;
use crate::ops::testing::{
    Npy, assert_close, batch, blank_series, divided, name, phase, read, repack, repository, run, series, vector,
};
use crate::ops::{Matrix, Product, Recurrent, Series, Taps};

const TOLERANCE: f64 = 1e-4;

fn cut(file: &str) -> Vec<f32> {
    Npy::read(&repository().join(format!("tests/fixtures/kokoro/{file}.npy"))).data
}

fn want(file: &str) -> Vec<f64> {
    cut(file).into_iter().map(f64::from).collect()
}

fn bytes(file: &str) -> Vec<u8> {
    cut(file).into_iter().map(|code| (code as i8).cast_unsigned()).collect()
}

/// Codes and their scales, a scale a row.
fn codes(gpu: &Gpu, file: &str, scale: &str) -> Rc<Matrix> {
    let (codes, scales) = (bytes(file), cut(scale));
    let matrix = Matrix::of_codes(gpu, file, scales.len() as u32, (codes.len() / scales.len()) as u32).unwrap();
    repack(gpu, &matrix, &codes);
    gpu.write(matrix.parts[0].sc.as_ref().unwrap(), 0, &scales);
    Rc::new(matrix)
}

fn floats(gpu: &Gpu, file: &str, rows: usize) -> Rc<Matrix> {
    let values = cut(file);
    let matrix = Matrix::as_f32(gpu, file, GgmlType::F32, rows as u32, (values.len() / rows) as u32).unwrap();
    repack(gpu, &matrix, bytemuck::cast_slice(&values));
    Rc::new(matrix)
}

fn input(gpu: &Gpu, file: &str, width: usize) -> Series {
    let x = cut(file);
    series(gpu, x.len() / width, width, &x)
}

#[test]
fn an_lstm() {
    for gpu in &divided() {
        let hidden = 32;
        let x = input(gpu, "lstm.x", 16);
        let recurrent = Recurrent {
            codes: gpu.buffer_with("codes", &bytes("lstm.hidden")).unwrap(),
            scales: gpu.buffer_with("scales", &cut("lstm.hidden_scale")).unwrap(),
            hidden,
        };
        let (w, bias) = (codes(gpu, "lstm.input", "lstm.input_scale"), vector(gpu, &cut("lstm.bias")));
        let t = x.len() as usize;
        let (gates, y) = (blank_series(gpu, t, 8 * hidden as usize), blank_series(gpu, t, 2 * hidden as usize));
        run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| {
            r.conv1d("input", &x, &w, Taps::ONE, Product::Bias(&bias), gates.all()).unwrap();
            r.lstm("lstm", &gates, &recurrent, &y).unwrap();
        });
        assert_close(&read(gpu, &y.rows, t), &want("lstm.y"), TOLERANCE, &name(gpu));
    }
}

#[test]
fn a_block_that_makes_its_input_twice_as_long() {
    for gpu in &divided() {
        let linear = |conv: &str| Linear {
            w: codes(gpu, &format!("block.{conv}"), &format!("block.{conv}_scale")),
            bias: vector(gpu, &cut(&format!("block.{conv}_bias"))),
        };
        let (style1, style2) = (cut("block.style1"), cut("block.style2"));
        let block = Block {
            norm1: StyleAt(0),
            norm2: StyleAt(style1.len() as u32),
            conv1: linear("conv1"),
            conv2: linear("conv2"),
            shortcut: Some(codes(gpu, "block.shortcut", "block.shortcut_scale")),
            pool: Some((floats(gpu, "block.pool", 3), vector(gpu, &cut("block.pool_bias")))),
            width: 16,
        };
        let styles = gpu.buffer_with("styles", &[style1, style2].concat()).unwrap();
        let x = input(gpu, "block.x", 32);
        let (batch, pool) = (batch(gpu, 0, 1), Pool::default());
        let mut p = Pass::new(gpu, &batch, &pool);
        let y = p.block_of("block", &x, None, &block, &styles).unwrap();
        p.finish().iter().for_each(|plan| gpu.submit([plan], 1, None));
        let n = (y.len() * y.rows.stride()) as usize;
        let got: Vec<f32> = pollster::block_on(gpu.read(&y.rows.buffer, n)).unwrap();
        assert_close(&got, &want("block.y"), TOLERANCE, &name(gpu));
    }
}

#[test]
fn the_end_of_the_generator() {
    for gpu in &divided() {
        let x = input(gpu, "tail.x", 32);
        let post = Linear { w: floats(gpu, "tail.post", 22), bias: vector(gpu, &cut("tail.post_bias")) };
        let (basis, sums) = (floats(gpu, "tail.basis", 22), vector(gpu, &cut("tail.window_sum")));
        let samples = 5 * (x.len() - 1);
        let (batch, pool) = (batch(gpu, 0, 1), Pool::default());
        let mut p = Pass::new(gpu, &batch, &pool);
        let spectrum = p.post(&x, &post).unwrap();
        let audio = p.buffer(u64::from(samples) * 4).unwrap();
        p.r.istft("istft", &spectrum, &basis, &sums, &audio).unwrap();
        p.finish().iter().for_each(|plan| gpu.submit([plan], 1, None));
        let got: Vec<f32> = pollster::block_on(gpu.read(&audio, samples as usize)).unwrap();
        assert_close(&got, &want("tail.y"), TOLERANCE, &name(gpu));
    }
}

#[test]
fn durations_of_tokens() {
    for gpu in &divided() {
        let x = input(gpu, "duration.x", 128);
        let (w, bias) = (codes(gpu, "duration.project", "duration.scale"), vector(gpu, &cut("duration.bias")));
        let n = x.len() as usize;
        let (logits, y) = (blank_series(gpu, n, 50), gpu.buffer_with("sums", &vec![0f32; n]).unwrap());
        run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| {
            r.conv1d("project", &x, &w, Taps::ONE, Product::Bias(&bias), logits.all()).unwrap();
            r.sum_sigmoids("sums", &logits, &y).unwrap();
        });
        let got: Vec<f32> = pollster::block_on(gpu.read(&y, n)).unwrap();
        assert_close(&got, &want("duration.y"), TOLERANCE, &name(gpu));
    }
}

#[test]
fn frames_are_rounded_as_onnx_rounds() {
    assert_eq!(super::frames(&[0.1, 2.5, 3.5, 7.6], 1.0).unwrap(), [1, 2, 4, 8]);
    assert_eq!(super::frames(&[5.0, 9.0], 2.0).unwrap(), [2, 4]);
    let error = super::frames(&[50.0; 31], 1.0).unwrap_err().to_string();
    assert!(error.contains("1550 frames, 1500 are allowed"), "{error}");
    assert!(super::frames(&[f32::MAX, f32::MAX], 0.25).is_err());
}
