//! A mixture of experts against the f64 reference.

use std::rc::Rc;

use super::reference::{self, add_gated, expert_matmul, expert_route, expert_sum};
use super::{ExpertMatrix, ExpertOutput, Gate, Routes};
use crate::formats::gguf::{GgmlType, dequantize};
use crate::gpu::Gpu;
use crate::ops::testing::{
    Rng, assert_close, batch, blocks, fill_with_guards, gpus, middle, name, output, phase, read, read_guarded, record,
    repack, run, supported, tensor, vector,
};
use crate::ops::{Input, Matrix};

/// A case: experts, those of them that a token goes to, tokens, and an expert's matrix.
#[derive(Debug, Clone, Copy)]
struct Case {
    n_expert: usize,
    n_used: usize,
    n_tokens: usize,
    n: usize,
    k: usize,
    ty: GgmlType,
    /// Whether the router takes sigmoids, and a bias for the choice.
    sigmoid: bool,
}

/// The worst relative L2 error of its results.
fn run_case(gpu: &Gpu, c: &Case) -> f64 {
    let what = format!("{c:?} {}", name(gpu));
    let mut rng = Rng(11);
    let Case { n_expert, n_used, n_tokens, n, k, ty, sigmoid } = *c;
    let logits = rng.vec(n_tokens * n_expert, 4.0);
    let bias = rng.vec(n_expert, 1.0);
    let chosen = expert_route(&logits, sigmoid.then_some(&bias[..]), n_expert, n_used);
    let bias = vector(gpu, &bias);
    let gate = if sigmoid { Gate::Sigmoid { bias: &bias } } else { Gate::Softmax };
    let data = blocks(&mut rng, ty, n_expert * n, k);
    let values = reference::ExpertMatrix { values: &dequantize(ty, &data).unwrap(), n, k };
    let matrix = Matrix::in_units(gpu, "test", &[(ty, (n_expert * n) as u32)], k as u32, n as u32).unwrap();
    repack(gpu, &matrix, &data);
    let w = ExpertMatrix { matrix: Rc::new(matrix), n_expert: n_expert as u32 };

    let routes = Routes::new(gpu, n_tokens as u32 + 1, n_used as u32).unwrap();
    fill_with_guards(gpu, &routes.buffer);
    let probs = tensor(gpu, n_tokens, n_expert, &logits);
    let x = rng.vec(n_tokens * k, 1.0);
    let each = rng.vec(n_tokens * n_used * k, 1.0);
    let y0 = rng.vec(n_tokens * n, 1.0);
    let (xt, each_t) = (tensor(gpu, n_tokens, k, &x), tensor(gpu, n_tokens * n_used, k, &each));
    let product = output(gpu, n_tokens * n_used, n);
    let glu = n.is_multiple_of(2).then(|| output(gpu, n_tokens * n_used, n / 2));
    let sum = tensor(gpu, n_tokens, n, &y0);
    run(gpu, &batch(gpu, 0, n_tokens), phase(n_tokens), n_tokens, |r| {
        r.expert_route(&probs, gate, &routes).unwrap();
        r.expert_matmul("store", (Input::Plain(&xt), 1), &w, &routes, ExpertOutput::Store(&product)).unwrap();
        if let Some(glu) = &glu {
            let input = (Input::Plain(&each_t), n_used as u32);
            r.expert_matmul("glu", input, &w, &routes, ExpertOutput::Swiglu(glu)).unwrap();
        }
        r.expert_sum("sum", &each_t, &w, &routes, &sum, 0.5).unwrap();
    });

    let want = expert_matmul((&x, 1), values, &chosen, &ExpertOutput::Store(&product));
    let mut worst = assert_close(&read(gpu, &product, n_tokens * n_used), &want, 1e-5, &what);
    if let Some(glu) = &glu {
        let want = expert_matmul((&each, n_used), values, &chosen, &ExpertOutput::Swiglu(glu));
        worst = worst.max(assert_close(&read(gpu, glu, n_tokens * n_used), &want, 1e-5, &what));
    }
    let want = expert_sum(&each, values, &chosen, &y0, 0.5);
    worst = worst.max(assert_close(&read(gpu, &sum, n_tokens), &want, 1e-5, &what));
    read(gpu, &probs, n_tokens);
    read_guarded(gpu, &routes.buffer, &what, |word| word < 2 * n_tokens * n_used);
    worst
}

const PLAIN: Case = Case { n_expert: 8, n_used: 3, n_tokens: 1, n: 66, k: 32, ty: GgmlType::F32, sigmoid: false };

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
            run_case(&gpu, &c);
            run_case(&gpu, &Case { sigmoid: true, ..c });
        }
    }
}

#[test]
fn experts_of_every_type() {
    let [gpu, _] = gpus();
    for ty in supported() {
        let k = ty.block_elems().max(32) as usize;
        let worst =
            [1, 7].map(|n_tokens| run_case(&gpu, &Case { ty, n_tokens, k, ..PLAIN })).into_iter().fold(0.0, f64::max);
        record("experts", ty.name(), serde_json::json!({"type": ty.name(), "experts": worst}));
    }
}

#[test]
fn experts_in_several_parts() {
    for mut gpu in gpus() {
        // Three of the eight experts to a binding.
        gpu.caps.max_binding_bytes = 3 * 66 * 32 * 4 + 100;
        for n_tokens in [1, 7] {
            run_case(&gpu, &Case { n_tokens, ..PLAIN });
        }
        gpu.caps.max_binding_bytes = 66 * 32 * 4 - 16;
        let too_large = Matrix::in_units(&gpu, "test", &[(GgmlType::F32, 8 * 66)], 32, 66).err().unwrap();
        assert_eq!(too_large.code(), "OUT_OF_GPU_MEMORY");
        println!("{too_large}");
    }
}

#[test]
fn a_part_of_the_experts_leaves_the_others_results_alone() {
    let mut rng = Rng(17);
    let Case { n_expert, n_used, n, k, ty, .. } = PLAIN;
    let (own, n_tokens) = (2..5, 7);
    for gpu in &gpus() {
        let data = blocks(&mut rng, ty, n_expert * n, k);
        let values = reference::ExpertMatrix { values: &dequantize(ty, &data).unwrap(), n, k };
        let matrix = middle(gpu, ty, [own.start, own.len(), n_expert - own.end].map(|e| e * n), k, &data);
        let w = ExpertMatrix { matrix: Rc::new(matrix), n_expert: n_expert as u32 };
        let (logits, x) = (rng.vec(n_tokens * n_expert, 4.0), rng.vec(n_tokens * k, 1.0));
        let y0 = rng.vec(n_tokens * n_used * n, 1.0);
        let routes = Routes::new(gpu, n_tokens as u32, n_used as u32).unwrap();
        let (probs, xt) = (tensor(gpu, n_tokens, n_expert, &logits), tensor(gpu, n_tokens, k, &x));
        let y = tensor(gpu, n_tokens * n_used, n, &y0);
        run(gpu, &batch(gpu, 0, n_tokens), phase(n_tokens), n_tokens, |r| {
            r.expert_route(&probs, Gate::Softmax, &routes).unwrap();
            r.expert_matmul("test", (Input::Plain(&xt), 1), &w, &routes, ExpertOutput::Store(&y)).unwrap();
        });
        let chosen = expert_route(&logits, None, n_expert, n_used);
        let want = expert_matmul((&x, 1), values, &chosen, &ExpertOutput::Store(&y));
        let got = read(gpu, &y, n_tokens * n_used);
        for (i, (e, _)) in chosen.into_iter().flatten().enumerate() {
            let row = i * n..(i + 1) * n;
            if own.contains(&e) {
                assert_close(&got[row.clone()], &want[row], 1e-5, &format!("expert {e} {}", name(gpu)));
            } else {
                assert!(got[row.clone()] == y0[row], "expert {e} {}", name(gpu));
            }
        }
    }
}

#[test]
fn an_expert_of_all_tokens_is_gated() {
    let [gpu, _] = gpus();
    let mut rng = Rng(13);
    for (n_tokens, n) in [(1, 1), (1, 256), (3, 17), (65, 260)] {
        let [x, y] = [0, 1].map(|_| rng.vec(n_tokens * n, 2.0));
        let gate = rng.vec(n_tokens, 100.0);
        let (xt, sum) = (tensor(&gpu, n_tokens, n, &x), tensor(&gpu, n_tokens, n, &y));
        let gates = tensor(&gpu, n_tokens, 1, &gate);
        run(&gpu, &batch(&gpu, 0, n_tokens), phase(n_tokens), n_tokens, |r| {
            r.add_gated("test", &xt, &gates, &sum, 0.5).unwrap();
        });
        assert_close(&read(&gpu, &sum, n_tokens), &add_gated(&x, &gate, &y, 0.5), 1e-6, &format!("({n_tokens}, {n})"));
    }
}
