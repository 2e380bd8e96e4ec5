//! Gated short convolutions against the f64 reference.

use super::reference::short_conv;
use super::{ColumnRing, ShortConv};
use crate::gpu::Gpu;
use crate::ops::testing::{
    Rng, assert_close, batch, fill_with_guards, gpus, output, phase, read, read_guarded, run, tensor, vector,
};

/// The positions that batches of these sizes give, and the columns they leave.
fn run_batches(gpu: &Gpu, bcx: &[f32], taps: &[f32], c: usize, capacity: u32, sizes: &[usize]) -> (Vec<f32>, Vec<u32>) {
    let kernel = taps.len() / c;
    let columns = ColumnRing::new(gpu, capacity, c as u32).unwrap();
    fill_with_guards(gpu, &columns.buffer);
    let weights = vector(gpu, taps);
    let conv = ShortConv { kernel: kernel as u32, taps: &weights, columns: &columns };
    let (mut pos, mut y) = (0, Vec::new());
    for &n in sizes {
        let x = tensor(gpu, n, 3 * c, &bcx[pos * 3 * c..][..n * 3 * c]);
        let out = output(gpu, n, c);
        run(gpu, &batch(gpu, pos, n), phase(n), n, |r| r.short_conv(&conv, &x, &out).unwrap());
        y.extend(read(gpu, &out, n));
        pos += n;
    }
    // Slots of positions that never came are as they were.
    let words = read_guarded(gpu, &columns.buffer, "columns", |word| word < pos * c);
    (y, words)
}

#[test]
fn batches_of_every_size_give_what_the_whole_gives() {
    let [gpu, _] = gpus();
    let mut rng = Rng(31);
    // A row with padding, a workgroup's 64 vectors and more; kernels of one column up to more than a batch.
    for (c, kernel) in [(4, 3), (20, 3), (64, 1), (256, 4), (260, 3), (16, 9)] {
        let n = 40;
        let (bcx, taps) = (rng.vec(n * 3 * c, 1.0), rng.vec(c * kernel, 1.0));
        let want = short_conv(&bcx, &taps, kernel, c);
        let ones = [1; 40];
        let mut states = Vec::new();
        for sizes in [&[40][..], &[1, 39], &[2, 17, 1, 1, 1, 18], &[16, 16, 8], &ones] {
            let largest = *sizes.iter().max().unwrap();
            for capacity in [largest + kernel - 1, n, 64] {
                let what = format!("C={c} kernel={kernel} {sizes:?} capacity={capacity}");
                let (got, columns) = run_batches(&gpu, &bcx, &taps, c, capacity as u32, sizes);
                assert_close(&got, &want, 1e-6, &what);
                if capacity == n {
                    states.push((columns, what));
                }
            }
        }
        for (columns, what) in &states {
            assert!(*columns == states[0].0, "{what}: the state is that of {}", states[0].1);
        }
    }
}

/// A position that is run again after later ones, as after a rewind, finds the columns before it.
#[test]
fn a_ring_can_be_cut_back() {
    let [gpu, _] = gpus();
    let mut rng = Rng(32);
    let (c, kernel, capacity, n) = (20, 3, 12, 30);
    let (bcx, taps) = (rng.vec(n * 3 * c, 1.0), rng.vec(c * kernel, 1.0));
    let want = short_conv(&bcx, &taps, kernel, c);
    let columns = ColumnRing::new(&gpu, capacity as u32, c as u32).unwrap();
    let weights = vector(&gpu, &taps);
    let conv = ShortConv { kernel: kernel as u32, taps: &weights, columns: &columns };
    let step = |pos: usize, n: usize, data: &[f32]| {
        let (x, y) = (tensor(&gpu, n, 3 * c, data), output(&gpu, n, c));
        run(&gpu, &batch(&gpu, pos, n), phase(n), n, |r| r.short_conv(&conv, &x, &y).unwrap());
        read(&gpu, &y, n)
    };
    let rows = |from: usize, n: usize| &bcx[from * 3 * c..][..n * 3 * c];
    for pos in (0..20).step_by(10) {
        step(pos, 10, rows(pos, 10));
    }
    // Ten positions of another text, all that the ring has room for beside the two that the next one looks back on.
    for pos in 20..30 {
        step(pos, 1, &rng.vec(3 * c, 1.0));
    }
    let got = step(20, 10, rows(20, 10));
    assert_close(&got, &want[20 * c..], 1e-6, "after a rewind");
}
