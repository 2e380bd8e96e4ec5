//! Repacked weights, bit for bit.

use serde_json::json;

use super::{Repacker, StagedRows};
use crate::formats::gguf::{GgmlType, dequantize};
use crate::gpu::Gpu;
use crate::ops::testing::{
    Npy, Rng, batch, blocks, fill_with_guards, gpus, matrix, output, read, read_guarded, record, repository, run,
    supported,
};
use crate::ops::{Index, Matrix, Phase};

/// The values of a matrix as the GPU dequantises them: every row looked up.
fn gpu_values(gpu: &Gpu, m: &Matrix) -> Vec<f32> {
    let rows = m.rows as usize;
    let batch = batch(gpu, 0, rows);
    gpu.write(&batch.tokens, 0, &(0..m.rows).collect::<Vec<u32>>());
    let x = output(gpu, rows, m.cols as usize);
    run(gpu, &batch, Phase::Prefill, rows, |r| r.embed("embed", m, Index::Token, 1.0, &x).unwrap());
    read(gpu, &x, rows)
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
        let got = gpu_values(&gpu, &matrix(&gpu, ty, 8, want.len() / 8, &blocks));
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

/// Rows 2 to 4 of a tensor whose rows are every third of the matrix.
#[test]
fn only_the_rows_that_are_staged_are_written() {
    let [gpu, _] = gpus();
    let mut rng = Rng(4);
    let (rows, row0, step) = (2..5, 1, 3);
    for ty in supported() {
        for n_blocks in [1, 5] {
            let cols = ty.block_elems().max(32) as usize * n_blocks;
            let m = Matrix::new(&gpu, "test", &[(ty, 20)], cols as u32).unwrap();
            let staging = gpu.buffer_with("staging", &blocks(&mut rng, ty, 4, cols)).unwrap();
            let part = &m.parts[0];
            let buffers = [Some(&part.qs), part.sc.as_ref()].into_iter().flatten();
            buffers.clone().for_each(|b| fill_with_guards(&gpu, b));
            let staged = StagedRows { staging: &staging, at_bytes: 0, rows: rows.clone(), row0, step };
            Repacker::new(&gpu).unwrap().rows(&gpu, &staged, &m, 0).unwrap();
            for buffer in buffers {
                let row_words = buffer.bytes() as usize / 4 / 20;
                let written = |i: usize| rows.clone().any(|r| (row0 + step * r) as usize == i / row_words);
                read_guarded(&gpu, buffer, &format!("{ty} K={cols}"), written);
            }
        }
    }
}
