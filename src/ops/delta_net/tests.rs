//! Gated delta nets against the f64 reference.

use super::reference::delta_net;
use super::{DeltaNet, DeltaScratch, DeltaShape};
use crate::gpu::{Gpu, Usage};
use crate::ops::testing::{
    Rng, assert_close, batch, fill_with_guards, gpus, output, phase, read, read_guarded, run, tensor, vector,
};

const EPS: f32 = 1e-6;

/// Weights of a net, and rows of a sequence.
struct Case {
    shape: DeltaShape,
    x: Vec<f32>,
    taps: Vec<f32>,
    head_weights: Vec<f32>,
}

impl Case {
    fn new(shape: DeltaShape, n: usize, rng: &mut Rng) -> Case {
        let mut head_weights = rng.vec(shape.head_weights() as usize, 1.0);
        // From states that are kept to those that are not.
        for a in &mut head_weights[..shape.n_v as usize] {
            *a = -(4.0 * *a - 2.0).exp();
        }
        Case {
            shape,
            x: rng.vec(n * shape.row() as usize, 2.0),
            taps: rng.vec((shape.channels() * shape.kernel) as usize, 1.0),
            head_weights,
        }
    }

    /// What batches of these sizes give, and the state that they leave.
    fn run(&self, gpu: &Gpu, sizes: &[usize]) -> (Vec<f32>, Vec<f32>) {
        let s = self.shape;
        // Behind the state lie guards.
        let bytes = s.state_bytes() as usize;
        let state = gpu.buffer("state", bytes as u64 + 64, Usage::Storage).unwrap();
        fill_with_guards(gpu, &state);
        gpu.write(&state, 0, &vec![0u8; bytes]);
        let (taps, head_weights) = (vector(gpu, &self.taps), vector(gpu, &self.head_weights));
        let net = DeltaNet { shape: s, taps: &taps, head_weights: &head_weights, eps: EPS, state: &state };
        let (row, mut pos, mut y) = (s.row() as usize, 0, Vec::new());
        for &n in sizes {
            let x = tensor(gpu, n, row, &self.x[pos * row..][..n * row]);
            let [mixed, chunks, out] =
                [s.channels(), s.chunk_row(), s.values()].map(|width| output(gpu, n, width as usize));
            let scratch = DeltaScratch { mixed, chunks };
            run(gpu, &batch(gpu, pos, n), phase(n), n, |r| r.delta_net(&net, &x, &scratch, &out).unwrap());
            read(gpu, &scratch.mixed, n);
            read(gpu, &scratch.chunks, n);
            y.extend(read(gpu, &out, n));
            pos += n;
        }
        let words = read_guarded(gpu, &state, "state", |word| word < bytes / 4);
        (y, words[..s.state_elems() as usize].iter().map(|&w| f32::from_bits(w)).collect())
    }

    fn check(&self, gpu: &Gpu, sizes: &[usize]) {
        let what = format!("{:?} {sizes:?}", self.shape);
        let (want, want_state) = delta_net(self.shape, &self.x, &self.taps, &self.head_weights, EPS);
        let (got, state) = self.run(gpu, sizes);
        assert_close(&got, &want, 2e-5, &what);
        assert_close(&state, &want_state, 1e-5, &format!("{what}: state"));
    }
}

fn shape(n_k: u32, n_v: u32, head_dim: u32, kernel: u32) -> DeltaShape {
    DeltaShape { n_k, n_v, head_dim, kernel }
}

#[test]
fn head_shapes() {
    for gpu in gpus() {
        let mut rng = Rng(41);
        for s in [shape(1, 1, 16, 4), shape(2, 4, 32, 4), shape(1, 3, 48, 2), shape(2, 2, 128, 4), shape(1, 1, 112, 4)]
        {
            let case = Case::new(s, 46, &mut rng);
            case.check(&gpu, &[7, 1, 37, 1]);
        }
    }
}

#[test]
fn batches_of_every_size_give_what_the_whole_gives() {
    for gpu in gpus() {
        let mut rng = Rng(42);
        let case = Case::new(shape(2, 4, 32, 4), 130, &mut rng);
        let ones = [1; 130];
        for sizes in [&[130][..], &[1, 129], &[2, 3, 31, 32, 33, 1, 28], &[64, 65, 1], &[97, 33], &ones] {
            case.check(&gpu, sizes);
        }
    }
}
