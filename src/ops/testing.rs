//! What the ops' tests share.
//!
//! # Guards
//! A kernel that writes outside of its output must be caught. Robust buffer access drops or clamps what lies outside of a
//! *binding*, so memory around the binding stays as it was whatever the kernel does. Guards are therefore inside:
//! - after an output: a tensor has rows beyond the batch's, and [`read`] fails where one of them changed, or where the
//!   padding of a row is not zero any more. All tests have these.
//! - before and after it: an op that has a part of a matrix writes to the middle of each row (`ROW0`), and the columns
//!   around it must survive. [`middle`] makes such a part. Positions of a cache and experts of other parts lie around
//!   what is written in the same way.
//!
//! Nothing can lie before an output that starts its binding: a smaller index than 0 is a huge one.

#[path = "../../tests/common/data.rs"]
mod data;

use super::{BatchBuffers, Matrix, Phase, Recorder, Repacker, StagedRows, Tensor, Vector, WeightLayout};
#[cfg(feature = "speech")]
use super::{Length, Series};
use crate::formats::gguf::GgmlType;
use crate::gpu::{Buffer, Gpu};

pub use data::*;

/// The GPU as it is, and as one without subgroups would be.
pub fn gpus() -> [Gpu; 2] {
    pollster::block_on(async { [Gpu::new().await.unwrap(), Gpu::new().await.unwrap().without_subgroups()] })
}

/// The GPUs, with work divided as for a CPU and as for a GPU.
pub fn divided() -> Vec<Gpu> {
    let as_gpu = gpus().map(|mut gpu| {
        gpu.caps.software = false;
        gpu.caps.f16 = true;
        gpu
    });
    gpus().into_iter().chain(as_gpu).collect()
}

/// Which of [`divided`] it is.
pub fn name(gpu: &Gpu) -> String {
    format!("subgroups={} software={}", gpu.caps.subgroup_min, gpu.caps.software)
}

/// A batch of `n_tokens` from position `pos` on.
pub fn batch(gpu: &Gpu, pos: usize, n_tokens: usize) -> BatchBuffers {
    let batch = BatchBuffers::new(gpu, n_tokens as u32).unwrap();
    batch.set_place(gpu, pos as u32, n_tokens as u32);
    batch
}

/// The phase that a batch of `n_tokens` is for.
pub fn phase(n_tokens: usize) -> Phase {
    if n_tokens == 1 { Phase::Decode { far: false } } else { Phase::Prefill }
}

/// Record ops and run them.
pub fn run(gpu: &Gpu, batch: &BatchBuffers, phase: Phase, n_tokens: usize, ops: impl FnOnce(&mut Recorder<'_>)) {
    let mut recorder = Recorder::new(gpu, batch, phase);
    ops(&mut recorder);
    gpu.submit([&recorder.plan], n_tokens as u32, None);
}

/// Rows of guards that follow those of a tensor.
const GUARD_ROWS: usize = 2;

/// Word `i` of the guards: a small float, 1e-13 to 5e-13, so that a value that is added changes it, too. No two neighbours
/// are equal.
fn guard(i: usize) -> u32 {
    0x2a00_0000 | (i as u32).wrapping_mul(0x9e37_79b9) >> 8
}

/// Fill a buffer with guards.
pub fn fill_with_guards(gpu: &Gpu, buffer: &Buffer) {
    gpu.write(buffer, 0, &(0..buffer.bytes() as usize / 4).map(guard).collect::<Vec<_>>());
}

/// The words of a buffer. Fails where one that may not be written is no longer its guard.
pub fn read_guarded(gpu: &Gpu, buffer: &Buffer, what: &str, may_be_written: impl Fn(usize) -> bool) -> Vec<u32> {
    let words: Vec<u32> = pollster::block_on(gpu.read(buffer, buffer.bytes() as usize / 4)).unwrap();
    let hit: Vec<usize> = (0..words.len()).filter(|&i| words[i] != guard(i) && !may_be_written(i)).collect();
    assert!(hit.is_empty(), "{what}: {} guards are overwritten, the first at word {}", hit.len(), hit[0]);
    words
}

/// A tensor of `rows` with this data, and guards after them.
pub fn tensor(gpu: &Gpu, rows: usize, width: usize, data: &[f32]) -> Tensor {
    assert_eq!(data.len(), rows * width);
    let t = Tensor::new(gpu, "test", (rows + GUARD_ROWS) as u32, width as u32).unwrap();
    fill_with_guards(gpu, &t.buffer);
    let mut padded = vec![0f32; rows * t.stride() as usize];
    for (to, from) in padded.chunks_exact_mut(t.stride() as usize).zip(data.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
    gpu.write(&t.buffer, 0, &padded);
    t
}

/// A tensor of `rows` for an op to write, and guards after them.
pub fn output(gpu: &Gpu, rows: usize, width: usize) -> Tensor {
    tensor(gpu, rows, width, &vec![0.0; rows * width])
}

/// The `rows` of a tensor. Fails where an op wrote beyond them.
pub fn read(gpu: &Gpu, t: &Tensor, rows: usize) -> Vec<f32> {
    read_before(gpu, t, rows, rows)
}

/// As [`read`], where the rows up to `guarded` may hold something else: digits.
pub fn read_before(gpu: &Gpu, t: &Tensor, rows: usize, guarded: usize) -> Vec<f32> {
    let (stride, width) = (t.stride() as usize, t.width as usize);
    let what = format!("({rows}, {width})");
    let words = read_guarded(gpu, &t.buffer, &what, |i| i < guarded * stride);
    let rows = words[..rows * stride].chunks_exact(stride).map(|row| row.iter().map(|&v| f32::from_bits(v)));
    rows.flat_map(|row| {
        let mut row: Vec<f32> = row.collect();
        assert!(row[width..].iter().all(|&v| v == 0.0), "{what}: padding is overwritten: {:?}", &row[width..]);
        row.truncate(width);
        row
    })
    .collect()
}

pub fn vector(gpu: &Gpu, data: &[f32]) -> Vector {
    let mut padded = data.to_vec();
    padded.resize(data.len().next_multiple_of(16), 0.0);
    Vector { buffer: gpu.buffer_with("test", &padded).unwrap(), len: data.len() as u32 }
}

/// A matrix of blocks as they are in a file.
pub fn matrix(gpu: &Gpu, ty: GgmlType, rows: usize, cols: usize, blocks: &[u8]) -> Matrix {
    let matrix = Matrix::new(gpu, "test", &[(ty, rows as u32)], cols as u32).unwrap();
    repack(gpu, &matrix, blocks);
    matrix
}

/// A matrix of three runs of rows, `[before, rows, after]`, which has the part with the second alone.
pub fn middle(gpu: &Gpu, ty: GgmlType, runs: [usize; 3], cols: usize, blocks: &[u8]) -> Matrix {
    let other = if ty == GgmlType::F32 { GgmlType::F16 } else { GgmlType::F32 };
    let [before, rows, after] = runs.map(|rows| rows as u32);
    let runs = [(other, before), (ty, rows), (other, after)];
    let mut matrix = Matrix::new(gpu, "test", &runs, cols as u32).unwrap();
    matrix.parts = matrix.parts.drain(1..2).collect();
    repack(gpu, &matrix, blocks);
    matrix
}

/// Fill a matrix from blocks as they are in a file. They lie at an odd byte of the staging buffer, as they may.
pub fn repack(gpu: &Gpu, matrix: &Matrix, blocks: &[u8]) {
    let at_bytes = 3;
    let mut staged = vec![0u8; at_bytes];
    staged.extend_from_slice(blocks);
    staged.resize(staged.len().next_multiple_of(4) + 4, 0);
    let repacker = Repacker::new(gpu).unwrap();
    for (i, part) in matrix.parts.iter().enumerate() {
        let rows = part.rows.clone();
        let row_bytes = part.ty.row_bytes(matrix.cols.into()).unwrap();
        let first = u64::from(rows.start) * row_bytes;
        let end = (at_bytes as u64 + u64::from(rows.end) * row_bytes).next_multiple_of(4) + 4;
        let from = first & !3;
        let staging = gpu.buffer_with("staging", &staged[from as usize..end as usize]).unwrap();
        let at_bytes = at_bytes as u64 + first - from;
        repacker.rows(gpu, &StagedRows { staging: &staging, at_bytes, rows, row0: 0, step: 1 }, matrix, i).unwrap();
    }
}

/// A series with this data, and guards after its rows.
#[cfg(feature = "speech")]
pub fn series(gpu: &Gpu, rows: usize, width: usize, data: &[f32]) -> Series {
    Series { rows: tensor(gpu, rows, width, data), len: Length::new(gpu, rows as u32).unwrap() }
}

/// A series for an op to write, and guards after its rows.
#[cfg(feature = "speech")]
pub fn blank_series(gpu: &Gpu, rows: usize, width: usize) -> Series {
    series(gpu, rows, width, &vec![0.0; rows * width])
}

/// Record ops of series, run them and read one.
#[cfg(feature = "speech")]
pub fn run_series(gpu: &Gpu, y: &Series, ops: impl FnOnce(&mut Recorder<'_>)) -> Vec<f32> {
    run(gpu, &batch(gpu, 0, 1), phase(1), 1, ops);
    read(gpu, &y.rows, y.len() as usize)
}

/// A buffer of f32 for an op to write, with guards after `n` elements.
#[cfg(feature = "speech")]
pub fn blank(gpu: &Gpu, n: usize) -> std::rc::Rc<Buffer> {
    let buffer = gpu.buffer_with("test", &vec![0f32; n + 16]).unwrap();
    fill_with_guards(gpu, &buffer);
    buffer
}

/// The first `n` elements of a buffer. Fails where an op wrote beyond them.
#[cfg(feature = "speech")]
pub fn read_blank(gpu: &Gpu, buffer: &Buffer, n: usize) -> Vec<f32> {
    let words = read_guarded(gpu, buffer, "a buffer", |i| i < n);
    words[..n].iter().map(|&v| f32::from_bits(v)).collect()
}

/// Weights of codes: `(rows, taps, channels)` with a scale a row, on the GPU with channels padded to 16, and their values.
#[cfg(feature = "speech")]
pub fn codes(gpu: &Gpu, rng: &mut Rng, rows: usize, taps: usize, channels: usize) -> (Matrix, Vec<f64>) {
    let scales: Vec<f32> = rng.vec(rows, 0.02);
    let (mut padded, mut values) = (Vec::new(), Vec::new());
    for &scale in &scales {
        for _ in 0..taps {
            let codes: Vec<i8> = rng.bytes(channels).into_iter().map(u8::cast_signed).collect();
            values.extend(codes.iter().map(|&code| f64::from(code) * f64::from(scale)));
            padded.extend(codes.iter().map(|code| code.cast_unsigned()));
            padded.resize(padded.len().next_multiple_of(16), 0);
        }
    }
    let matrix = Matrix::of_codes(gpu, "test", rows as u32, (padded.len() / rows) as u32).unwrap();
    repack(gpu, &matrix, &padded);
    gpu.write(matrix.parts[0].sc.as_ref().unwrap(), 0, &scales);
    (matrix, values)
}

/// Random blocks of a type, with scales that keep values near 1.
pub fn blocks(rng: &mut Rng, ty: GgmlType, rows: usize, cols: usize) -> Vec<u8> {
    let n = rows * cols;
    match ty {
        GgmlType::F32 => return rng.vec(n, 1.0).iter().flat_map(|v| v.to_le_bytes()).collect(),
        GgmlType::F16 => {
            return rng.vec(n, 1.0).iter().flat_map(|&v| half::f16::from_f32(v).to_le_bytes()).collect();
        }
        GgmlType::BF16 => {
            return rng.vec(n, 1.0).iter().flat_map(|&v| half::bf16::from_f32(v).to_le_bytes()).collect();
        }
        _ => {}
    }
    let mut bytes = rng.bytes(rows * ty.row_bytes(cols as u64).unwrap() as usize);
    let halves: &[usize] = match ty {
        GgmlType::Q4_1 | GgmlType::Q5_1 | GgmlType::Q4_K | GgmlType::Q5_K => &[0, 2],
        GgmlType::Q2_K => &[80, 82],
        GgmlType::Q3_K => &[108],
        GgmlType::Q6_K => &[208],
        GgmlType::MXFP4 => &[],
        _ => &[0],
    };
    for block in bytes.chunks_exact_mut(ty.block_bytes() as usize) {
        for &at in halves {
            let d = half::f16::from_f32(rng.unit() * 0.02);
            block[at..at + 2].copy_from_slice(&d.to_le_bytes());
        }
        if ty == GgmlType::MXFP4 {
            block[0] = 120 + block[0] % 8;
        }
    }
    bytes
}

/// The types of weights there are kernels for.
pub fn supported() -> impl Iterator<Item = GgmlType> {
    GgmlType::all().filter(|&t| WeightLayout::of(t).is_some())
}
