//! The kernels of a mixture of experts against references that accumulate in f64.

mod common;

use std::rc::Rc;

use common::{Rng, assert_close, blocks, gpus, read, record, repack, supported, tensor};
use webgguf::gguf::{GgmlType, dequantize};
use webgguf::gpu::{Gpu, State};
use webgguf::ops::{ExpertMatrix, ExpertOutput, Input, Matrix, Phase, Recorder, Routes, StepBuffers, Tensor};

/// A case: experts, those of them that a token goes to, tokens, and an expert's matrix.
#[derive(Debug, Clone, Copy)]
struct Case {
    n_expert: u32,
    n_used: u32,
    n_tokens: u32,
    n: u32,
    k: u32,
    ty: GgmlType,
}

/// Each token's experts and weights, best first.
fn route(logits: &[f32], n_expert: usize, n_used: usize) -> Vec<Vec<(usize, f64)>> {
    let choose = |logits: &[f32]| {
        let mut e: Vec<(usize, f64)> = logits.iter().map(|&v| f64::from(v).exp()).enumerate().collect();
        e.sort_by(|a, b| b.1.total_cmp(&a.1));
        e.truncate(n_used);
        let sum: f64 = e.iter().map(|e| e.1).sum();
        e.into_iter().map(|(i, v)| (i, v / sum)).collect()
    };
    logits.chunks_exact(n_expert).map(choose).collect()
}

/// `w_e . x`, rows of `w (E, N, K)`.
fn product(w: &[f32], e: usize, n: usize, x: &[f32]) -> Vec<f64> {
    let rows = w[e * n * x.len()..(e + 1) * n * x.len()].chunks_exact(x.len());
    rows.map(|r| r.iter().zip(x).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()).collect()
}

/// The worst relative L2 error of its results.
fn run(gpu: &Gpu, c: &Case) -> f64 {
    let what = format!("{c:?} subgroups={}", gpu.caps.subgroup_min);
    let mut rng = Rng(11);
    let [n_expert, n_used, n_tokens, n, k] = [c.n_expert, c.n_used, c.n_tokens, c.n, c.k].map(|v| v as usize);
    let logits = rng.vec(n_tokens * n_expert, 4.0);
    let chosen = route(&logits, n_expert, n_used);
    let data = blocks(&mut rng, c.ty, c.n_expert * c.n, c.k);
    let values = dequantize(c.ty, &data).unwrap();
    let matrix = Matrix::in_units(gpu, "test", &[(c.ty, c.n_expert * c.n)], c.k, c.n).unwrap();
    repack(gpu, c.ty, &matrix, &data);
    let w = ExpertMatrix { matrix: Rc::new(matrix), n_expert: c.n_expert };

    let step = StepBuffers::new(gpu, c.n_tokens).unwrap();
    gpu.write(&step.state, 0, &[State { n_tokens: c.n_tokens, ..State::default() }]);
    let phase = if n_tokens == 1 { Phase::Decode { far: false } } else { Phase::Prefill };
    let routes = Routes::new(gpu, c.n_tokens, c.n_used).unwrap();
    let probs = tensor(gpu, n_tokens, n_expert, &logits);
    let x = rng.vec(n_tokens * k, 1.0);
    let each = rng.vec(n_tokens * n_used * k, 1.0);
    let y0 = rng.vec(n_tokens * n, 1.0);
    let (xt, each_t) = (tensor(gpu, n_tokens, k, &x), tensor(gpu, n_tokens * n_used, k, &each));
    let product_t = Tensor::new(gpu, "y", c.n_tokens * c.n_used, c.n).unwrap();
    let glu_t = Tensor::new(gpu, "y", c.n_tokens * c.n_used, c.n / 2).unwrap();
    let sum_t = tensor(gpu, n_tokens, n, &y0);
    let mut r = Recorder::new(gpu, &step, phase, c.n_tokens);
    r.expert_route(&probs, &routes).unwrap();
    r.expert_matmul("store", (Input::Plain(&xt), 1), &w, &routes, ExpertOutput::Store(&product_t)).unwrap();
    let glu = c.n.is_multiple_of(2);
    if glu {
        r.expert_matmul("glu", (Input::Plain(&each_t), c.n_used), &w, &routes, ExpertOutput::Swiglu(&glu_t)).unwrap();
    }
    r.expert_sum("sum", &each_t, &w, &routes, &sum_t, 0.5).unwrap();
    gpu.submit([&r.plan], c.n_tokens, None);

    let (mut want_product, mut want_glu) = (Vec::new(), Vec::new());
    let mut want_sum: Vec<f64> = y0.iter().map(|&v| v.into()).collect();
    for (t, experts) in chosen.iter().enumerate() {
        for (slot, &(e, weight)) in experts.iter().enumerate() {
            want_product.extend(product(&values, e, n, &x[t * k..(t + 1) * k]));
            let at = t * n_used + slot;
            let own = product(&values, e, n, &each[at * k..(at + 1) * k]);
            want_glu.extend(own.chunks_exact(2).map(|p| p[0] / (1.0 + (-p[0]).exp()) * p[1]));
            want_sum[t * n..(t + 1) * n].iter_mut().zip(&own).for_each(|(s, v)| *s += 0.5 * weight * v);
        }
    }
    let mut worst = assert_close(&read(gpu, &product_t, n_tokens * n_used), &want_product, 1e-5, &what);
    if glu {
        worst = worst.max(assert_close(&read(gpu, &glu_t, n_tokens * n_used), &want_glu, 1e-5, &what));
    }
    worst.max(assert_close(&read(gpu, &sum_t, n_tokens), &want_sum, 1e-5, &what))
}

const PLAIN: Case = Case { n_expert: 8, n_used: 3, n_tokens: 1, n: 66, k: 32, ty: GgmlType::F32 };

#[test]
fn experts_of_every_size() {
    let case = |n_expert, n_used, n_tokens, n, k| Case { n_expert, n_used, n_tokens, n, k, ..PLAIN };
    for gpu in gpus() {
        for c in [
            case(1, 1, 1, 1, 1),
            case(2, 1, 3, 2, 17),
            case(7, 7, 5, 33, 16),
            case(64, 8, 1, 130, 96),
            case(65, 2, 66, 4, 15),
            case(200, 10, 9, 6, 48),
        ] {
            run(&gpu, &c);
        }
    }
}

#[test]
fn experts_of_every_type() {
    let [gpu, _] = gpus();
    for ty in supported() {
        let k = ty.block_elems().max(32) as u32;
        let worst =
            [1, 7].map(|n_tokens| run(&gpu, &Case { ty, n_tokens, k, ..PLAIN })).into_iter().fold(0.0, f64::max);
        record("experts", ty.name(), serde_json::json!({"type": ty.name(), "experts": worst}));
    }
}

#[test]
fn experts_in_several_parts() {
    for mut gpu in gpus() {
        // Three of the eight experts to a binding.
        gpu.caps.max_binding_bytes = 3 * 66 * 32 * 4 + 100;
        for n_tokens in [1, 7] {
            run(&gpu, &Case { n_tokens, ..PLAIN });
        }
        gpu.caps.max_binding_bytes = 66 * 32 * 4 - 16;
        let too_large = Matrix::in_units(&gpu, "test", &[(GgmlType::F32, 8 * 66)], 32, 66).err().unwrap();
        assert_eq!(too_large.code(), "OUT_OF_GPU_MEMORY");
        println!("{too_large}");
    }
}
