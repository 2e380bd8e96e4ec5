//! Lookups against the f64 reference.

use super::Index;
use super::reference::embed;
use crate::formats::gguf::{GgmlType, dequantize};
use crate::ops::testing::{Rng, assert_close, batch, blocks, gpus, matrix, middle, output, phase, read, run, tensor};

#[test]
fn lookups_over_edge_sizes() {
    let [gpu, _] = gpus();
    let mut rng = Rng(12);
    // One group of 16, a workgroup's 64 and their neighbours; more ids than rows.
    for (t, n, k, pos) in [(1, 1, 1, 0), (2, 5, 17, 3), (7, 67, 1008, 60), (65, 131, 1040, 5), (3, 7, 2000, 4)] {
        for ty in [GgmlType::F16, GgmlType::F32] {
            let data = blocks(&mut rng, ty, n, k);
            let (table, values) = (matrix(&gpu, ty, n, k, &data), dequantize(ty, &data).unwrap());
            let batch = batch(&gpu, pos, t);
            let ids: Vec<u32> = (0..t).map(|_| rng.next() as u32 % n as u32).collect();
            gpu.write(&batch.tokens, 0, &ids);
            let x = output(&gpu, t, k);
            run(&gpu, &batch, phase(t), t, |r| r.embed("test", &table, Index::Token, 0.75, &x).unwrap());
            let want = embed(&values, k, ids.iter().map(|&id| id as usize), 0.75);
            assert_close(&read(&gpu, &x, t), &want, 1e-6, &format!("{ty} T={t} N={n} K={k}"));

            let x0 = rng.vec(t * k, 1.0);
            let x = tensor(&gpu, t, k, &x0);
            run(&gpu, &batch, phase(t), t, |r| r.embed("test", &table, Index::Position, 1.0, &x).unwrap());
            let added = embed(&values, k, pos..pos + t, 1.0);
            let want: Vec<f64> = x0.iter().zip(added).map(|(&x, v)| f64::from(x) + v).collect();
            assert_close(&read(&gpu, &x, t), &want, 1e-6, &format!("{ty} T={t} N={n} K={k} pos={pos}"));
        }
    }
}

#[test]
fn a_part_of_a_table_leaves_the_other_ids_alone() {
    let [gpu, _] = gpus();
    let mut rng = Rng(13);
    let (runs, k) = ([5, 7, 4], 50);
    let data = blocks(&mut rng, GgmlType::F16, 16, k);
    let values = dequantize(GgmlType::F16, &data).unwrap();
    let table = middle(&gpu, GgmlType::F16, runs, k, &data);
    let batch = batch(&gpu, 0, 16);
    let ids: Vec<u32> = (0..16).map(|i| i * 7 % 16).collect();
    gpu.write(&batch.tokens, 0, &ids);
    let x0 = rng.vec(16 * k, 1.0);
    let x = tensor(&gpu, 16, k, &x0);
    run(&gpu, &batch, phase(16), 16, |r| r.embed("test", &table, Index::Token, 1.0, &x).unwrap());
    for ((id, got), before) in ids.into_iter().zip(read(&gpu, &x, 16).chunks_exact(k)).zip(x0.chunks_exact(k)) {
        let row = &values[id as usize * k..][..k];
        assert!(got == if (5..12).contains(&id) { row } else { before }, "id {id}");
    }
}
