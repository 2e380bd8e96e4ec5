//! Packed texts against the f64 reference.

use super::reference::{attend, mean};
use super::{Packed, Pooling};
use crate::formats::gguf::{GgmlType, dequantize};
use crate::gpu::Gpu;
use crate::ops::testing::{Rng, assert_close, blocks, gpus, matrix, middle, output, read_before, run, tensor};
use crate::ops::{Phase, Recorder, Tensor};

/// Lengths of texts: one token, a tile's 16, a chunk of keys' 64 and their neighbours.
const LENGTHS: [usize; 11] = [1, 2, 3, 15, 16, 17, 63, 64, 65, 131, 1];

fn ids(lengths: &[usize]) -> Vec<Vec<u32>> {
    lengths.iter().map(|&n| (0..n as u32).map(|i| i * 7 % 5).collect()).collect()
}

/// Rows that texts count for.
fn n_rows(lengths: &[usize]) -> usize {
    lengths.iter().map(|&n| Packed::rows_of(n)).sum()
}

fn packed(gpu: &Gpu, lengths: &[usize], pooling: Pooling) -> Packed {
    let packed = Packed::new(gpu, n_rows(lengths) as u32).unwrap();
    assert_eq!(packed.set(gpu, &ids(lengths), pooling).unwrap() as usize, n_rows(lengths));
    packed
}

/// The first `rows` of y, of a batch of these texts. The op may write as many as the batch counts for.
fn run_packed(
    gpu: &Gpu,
    lengths: &[usize],
    pooling: Pooling,
    y: &Tensor,
    rows: usize,
    ops: impl FnOnce(&mut Recorder<'_>, &Packed),
) -> Vec<f32> {
    let packed = packed(gpu, lengths, pooling);
    run(gpu, &packed.batch, Phase::Prefill, n_rows(lengths), |r| ops(r, &packed));
    read_before(gpu, y, rows, n_rows(lengths))
}

#[test]
fn attention_stays_within_texts() {
    for gpu in gpus() {
        let mut rng = Rng(31);
        for shape in [[1, 1, 4], [3, 3, 32], [4, 2, 48], [12, 12, 64], [3, 1, 128], [2, 1, 256]] {
            let [n_head, n_head_kv, head_dim] = shape;
            let (row, c) = ((n_head + 2 * n_head_kv) * head_dim, n_head * head_dim);
            let t: usize = LENGTHS.iter().sum();
            let x = rng.vec(t * row, 1.5);
            let qkv = tensor(&gpu, t, row, &x);
            let y = output(&gpu, n_rows(&LENGTHS), c);
            let got = run_packed(&gpu, &LENGTHS, Pooling::Mean, &y, t, |r, packed| {
                r.attend_packed("test", packed, shape.map(|n| n as u32), &qkv, &y).unwrap();
            });
            let mut first = 0;
            for n in LENGTHS {
                let of_text = first..first + n;
                let want = attend(&x[of_text.start * row..of_text.end * row], shape);
                assert_close(&got[of_text.start * c..of_text.end * c], &want, 1e-5, &format!("{shape:?} of {n}"));
                first += n;
            }
        }
    }
}

#[test]
fn attention_does_not_depend_on_neighbours() {
    let [gpu, _] = gpus();
    let mut rng = Rng(32);
    let shape = [3, 3, 32];
    let row = 9 * 32;
    let x = rng.vec(200 * row, 1.5);
    let run = |lengths: &[usize], x: &[f32]| {
        let t = lengths.iter().sum();
        let (qkv, y) = (tensor(&gpu, t, row, x), output(&gpu, n_rows(lengths), 96));
        run_packed(&gpu, lengths, Pooling::Mean, &y, t, |r, packed| {
            r.attend_packed("test", packed, shape, &qkv, &y).unwrap();
        })
    };
    let together = run(&[7, 100, 1, 92], &x);
    let alone = run(&[100], &x[7 * row..107 * row]);
    assert!(together[7 * 96..107 * 96] == alone);
}

#[test]
fn pooling_takes_its_rows() {
    let [gpu, _] = gpus();
    let mut rng = Rng(33);
    let t: usize = LENGTHS.iter().sum();
    for c in [4, 50, 384] {
        let x = rng.vec(t * c, 1.0);
        for pooling in [Pooling::Mean, Pooling::Cls, Pooling::Last] {
            let (xt, y) = (tensor(&gpu, t, c, &x), output(&gpu, LENGTHS.len(), c));
            let got = {
                let packed = packed(&gpu, &LENGTHS, pooling);
                run(&gpu, &packed.batch, Phase::Prefill, n_rows(&LENGTHS), |r| {
                    r.pool("test", &packed, &xt, &y).unwrap()
                });
                read_before(&gpu, &y, LENGTHS.len(), LENGTHS.len())
            };
            let mut first = 0;
            for (n, got) in LENGTHS.into_iter().zip(got.chunks_exact(c)) {
                let rows = match pooling {
                    Pooling::Mean => first..first + n,
                    Pooling::Cls => first..first + 1,
                    Pooling::Last => first + n - 1..first + n,
                };
                let want = mean(&x[rows.start * c..rows.end * c], c);
                assert_close(got, &want, 1e-6, &format!("{pooling:?} of {n}, C={c}"));
                first += n;
            }
        }
    }
}

#[test]
fn embeddings_are_sums_of_three_tables() {
    let [gpu, _] = gpus();
    let mut rng = Rng(34);
    let lengths = [1, 9, 2, 17];
    for (ty, c) in [(GgmlType::F16, 20), (GgmlType::F32, 1040), (GgmlType::Q8_0, 64)] {
        let data = blocks(&mut rng, ty, 5, c);
        let (table, values) = (matrix(&gpu, ty, 5, c, &data), dequantize(ty, &data).unwrap());
        let position_data = blocks(&mut rng, GgmlType::F32, 17, c);
        let positions = matrix(&gpu, GgmlType::F32, 17, c, &position_data);
        let position_values = dequantize(GgmlType::F32, &position_data).unwrap();
        let type_data = blocks(&mut rng, GgmlType::F32, 2, c);
        let type_embd = matrix(&gpu, GgmlType::F32, 2, c, &type_data);
        let types = dequantize(GgmlType::F32, &type_data).unwrap();
        let x = output(&gpu, n_rows(&lengths), c);
        let t = lengths.iter().sum();
        let got = run_packed(&gpu, &lengths, Pooling::Mean, &x, t, |r, packed| {
            r.embed_packed("test", packed, &table, &positions, &type_embd, &x).unwrap();
        });
        let places = ids(&lengths).into_iter().flat_map(|ids| ids.into_iter().enumerate());
        let want = places.flat_map(|(place, id)| {
            let [id, place] = [id as usize * c, place * c];
            (0..c).map(|i| [values[id + i], position_values[place + i], types[i]]).collect::<Vec<_>>()
        });
        let want: Vec<f64> = want.map(|parts| parts.iter().map(|&v| f64::from(v)).sum()).collect();
        assert_close(&got, &want, 1e-6, &format!("{ty} C={c}"));
    }
}

#[test]
fn a_part_of_a_table_leaves_the_other_ids_alone() {
    let [gpu, _] = gpus();
    let mut rng = Rng(35);
    let c = 64;
    // Of the ids 0 to 4, the part has 1 and 2.
    let table = middle(&gpu, GgmlType::Q8_0, [1, 2, 2], c, &blocks(&mut rng, GgmlType::Q8_0, 5, c));
    let positions = matrix(&gpu, GgmlType::F32, 9, c, &blocks(&mut rng, GgmlType::F32, 9, c));
    let type_embd = matrix(&gpu, GgmlType::F32, 1, c, &blocks(&mut rng, GgmlType::F32, 1, c));
    let before = rng.vec(9 * c, 1.0);
    let x = tensor(&gpu, 9, c, &before);
    let got = run_packed(&gpu, &[9], Pooling::Mean, &x, 9, |r, packed| {
        r.embed_packed("test", packed, &table, &positions, &type_embd, &x).unwrap();
    });
    for ((id, got), before) in ids(&[9])[0].iter().zip(got.chunks_exact(c)).zip(before.chunks_exact(c)) {
        assert_eq!(got == before, !(1..3).contains(id), "id {id}");
    }
}
