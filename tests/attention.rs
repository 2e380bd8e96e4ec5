//! Attention against an f64 reference: prefill of a batch, then decode of single tokens behind it.

mod common;

use common::{Rng, assert_close, gpus, read, tensor, vector};
use webgguf::gpu::{Gpu, State};
use webgguf::ops::{
    Attention, AttentionParts, KvCache, KvType, Phase, QkNormWeights, Recorder, Rope, RopeKind, StepBuffers, Tensor,
};

/// A case: the heads' shape, and what happens to them.
#[derive(Debug, Clone, Copy)]
struct Case {
    n_head: usize,
    n_head_kv: usize,
    head_dim: usize,
    rope: Option<(RopeKind, usize)>,
    qk_norm: bool,
    window: usize,
    /// Tokens of the first batch, of the second, and single ones after them.
    batches: [usize; 2],
    n_decode: usize,
    kv: KvType,
}

const PLAIN: Case = Case {
    n_head: 4,
    n_head_kv: 2,
    head_dim: 64,
    rope: None,
    qk_norm: false,
    window: usize::MAX,
    batches: [7, 0],
    n_decode: 2,
    kv: KvType::F32,
};

const EPS: f32 = 1e-6;

/// Positions of the longest case.
const LONGEST: usize = 600;

fn angle(pos: usize, i: usize, n_rot: usize) -> f64 {
    pos as f64 * 10_000f64.powf(-2.0 * i as f64 / n_rot as f64)
}

/// The reference: every token's output, `(S, n_head * head_dim)`.
fn reference(c: &Case, qkv: &[f32], q_norm: &[f32], k_norm: &[f32]) -> Vec<f64> {
    let d = c.head_dim;
    let row = (c.n_head + 2 * c.n_head_kv) * d;
    let n = qkv.len() / row;
    let prepared = |t: usize, head: usize| -> Vec<f64> {
        let mut v: Vec<f64> = qkv[t * row + head * d..][..d].iter().map(|&x| x.into()).collect();
        if c.qk_norm && head < c.n_head + c.n_head_kv {
            let norm = if head < c.n_head { q_norm } else { k_norm };
            let r = 1.0 / (v.iter().map(|x| x * x).sum::<f64>() / d as f64 + f64::from(EPS)).sqrt();
            v.iter_mut().zip(norm).for_each(|(x, &w)| *x *= r * f64::from(w));
        }
        if let Some((kind, n_rot)) = c.rope.filter(|_| head < c.n_head + c.n_head_kv) {
            for i in 0..n_rot / 2 {
                let (a, b) = match kind {
                    RopeKind::Interleaved => (2 * i, 2 * i + 1),
                    RopeKind::HalfSplit => (i, i + n_rot / 2),
                };
                let (sin, cos) = angle(t, i, n_rot).sin_cos();
                (v[a], v[b]) = (v[a] * cos - v[b] * sin, v[a] * sin + v[b] * cos);
            }
        }
        v
    };
    let mut out = Vec::new();
    for t in 0..n {
        for head in 0..c.n_head {
            let kv = head / (c.n_head / c.n_head_kv);
            let q = prepared(t, head);
            let first = (t + 1).saturating_sub(c.window);
            let scores: Vec<f64> = (first..=t)
                .map(|p| {
                    let k = prepared(p, c.n_head + kv);
                    q.iter().zip(&k).map(|(a, b)| a * b).sum::<f64>() * (d as f64).powf(-0.5)
                })
                .collect();
            let top = scores.iter().fold(f64::MIN, |a, &b| a.max(b));
            let weights: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
            let total: f64 = weights.iter().sum();
            let mut o = vec![0f64; d];
            for (w, p) in weights.iter().zip(first..) {
                let v = prepared(p, c.n_head + c.n_head_kv + kv);
                o.iter_mut().zip(v).for_each(|(o, v)| *o += w / total * v);
            }
            out.extend(o);
        }
    }
    out
}

fn run(gpu: &Gpu, c: &Case, far: bool) {
    let what = format!("{c:?} far={far} subgroups={} software={}", gpu.caps.subgroup_min, gpu.caps.software);
    let mut rng = Rng(9);
    let width = (c.n_head + 2 * c.n_head_kv) * c.head_dim;
    let n = c.batches[0] + c.batches[1] + c.n_decode;
    let max_batch = c.batches[0].max(c.batches[1]).max(1);
    let qkv = rng.vec(n * width, 2.0);
    let (q_norm, k_norm) = (rng.vec(c.head_dim, 2.0), rng.vec(c.head_dim, 2.0));
    let want = reference(c, &qkv, &q_norm, &k_norm);

    // A window's ring holds the window and a batch; others the same for every length, so that kernels are shared.
    assert!(n <= LONGEST);
    let capacity = if c.window < n { c.window + max_batch } else { LONGEST } as u32;
    let (n_head, n_head_kv, head_dim) = (c.n_head as u32, c.n_head_kv as u32, c.head_dim as u32);
    let cache = KvCache::new(gpu, c.kv, n_head_kv, capacity, head_dim).unwrap();
    let (q_norm, k_norm) = (vector(gpu, &q_norm), vector(gpu, &k_norm));
    let rope = c.rope.map(|(kind, n_rot)| {
        let table: Vec<f32> = (0..n)
            .flat_map(|pos| (0..n_rot / 2).map(move |i| angle(pos, i, n_rot).sin_cos()))
            .flat_map(|(sin, cos)| [cos as f32, sin as f32])
            .collect();
        Rope { kind, n_rot: n_rot as u32, table: gpu.buffer_with("rope", &table).unwrap() }
    });
    let attention = Attention {
        n_head,
        n_head_kv,
        head_dim,
        scale: (head_dim as f32).powf(-0.5),
        window: u32::try_from(c.window).unwrap_or(u32::MAX),
        rope: rope.as_ref(),
        softcap: None,
        qk_norm: c.qk_norm.then_some(QkNormWeights { q: &q_norm, k: &k_norm, eps: EPS, whole_row: false }),
        cache: &cache,
    };
    let step = StepBuffers::new(gpu, max_batch as u32).unwrap();
    let out = Tensor::new(gpu, "out", max_batch as u32, n_head * head_dim).unwrap();
    let parts = AttentionParts::new(gpu, n_head, head_dim).unwrap();

    let mut got = Vec::new();
    let mut pos = 0;
    let mut batches = c.batches.to_vec();
    batches.extend(vec![1; c.n_decode]);
    for (i, n_tokens) in batches.into_iter().enumerate().filter(|(_, n)| *n > 0) {
        let phase = if i < 2 { Phase::Prefill } else { Phase::Decode { far } };
        let rows = tensor(gpu, n_tokens, width, &qkv[pos * width..(pos + n_tokens) * width]);
        gpu.write(&step.state, 0, &[State { pos: pos as u32, n_tokens: n_tokens as u32, ..State::default() }]);
        let mut r = Recorder::new(gpu, &step, phase, n_tokens as u32);
        r.attention(&attention, &rows, &out, &parts).unwrap();
        gpu.submit([&r.plan], n_tokens as u32, None);
        got.extend(read(gpu, &out, n_tokens));
        pos += n_tokens;
    }
    let tolerance = match c.kv {
        KvType::F32 => 1e-5,
        KvType::F16 => 1e-3,
        KvType::Q8_0 => 1e-2,
    };
    assert_close(&got, &want, tolerance, &what);
}

fn run_all(cases: &[Case]) {
    for mut gpu in gpus() {
        // Divided for a CPU and for a GPU, behind few positions and many: every pair of these with and without
        // subgroups, in half as many runs.
        for far in [false, true] {
            gpu.caps.software = far != (gpu.caps.subgroup_min > 0);
            cases.iter().for_each(|c| run(&gpu, c, far));
        }
    }
}

#[test]
fn head_shapes() {
    let shape = |n_head, n_head_kv, head_dim| Case { n_head, n_head_kv, head_dim, ..PLAIN };
    run_all(&[shape(1, 1, 4), shape(9, 3, 64), shape(8, 2, 16), shape(7, 1, 12), shape(8, 1, 256), shape(3, 3, 96)]);
}

#[test]
fn lengths() {
    // Around tiles of 16, splits of 32 and beyond their number.
    let length = |a, b, n_decode| Case { batches: [a, b], n_decode, n_head: 3, n_head_kv: 1, head_dim: 8, ..PLAIN };
    run_all(&[length(0, 0, 3), length(1, 0, 1), length(15, 17, 2), length(16, 16, 1), length(31, 1, 3)]);
    run_all(&[length(33, 64, 2), length(257, 0, 2), length(500, 97, 2)]);
}

#[test]
fn rotary_embedding_and_head_norms() {
    let rope = |kind, n_rot, qk_norm| Case { rope: Some((kind, n_rot)), qk_norm, batches: [5, 9], ..PLAIN };
    run_all(&[
        rope(RopeKind::Interleaved, 20, false),
        rope(RopeKind::HalfSplit, 24, false),
        rope(RopeKind::HalfSplit, 64, true),
        rope(RopeKind::Interleaved, 64, true),
        Case { qk_norm: true, ..PLAIN },
        Case { head_dim: 4, ..rope(RopeKind::Interleaved, 4, false) },
    ]);
}

#[test]
fn sliding_windows_keep_a_ring() {
    let window = |window, a, b, n_decode| Case { window, batches: [a, b], n_decode, head_dim: 16, ..PLAIN };
    run_all(&[window(1, 5, 0, 3), window(8, 5, 7, 9), window(32, 40, 33, 5), window(100, 20, 30, 3)]);
}

#[test]
fn smaller_caches() {
    let cache = |kv, head_dim, window| Case { kv, head_dim, window, batches: [20, 30], ..PLAIN };
    run_all(&[
        cache(KvType::F16, 64, usize::MAX),
        cache(KvType::F16, 4, 8),
        cache(KvType::Q8_0, 32, usize::MAX),
        cache(KvType::Q8_0, 96, 8),
        cache(KvType::Q8_0, 256, usize::MAX),
    ]);
    let [gpu, _] = gpus();
    let refused = KvCache::new(&gpu, KvType::Q8_0, 1, 8, 80).err().unwrap();
    assert_eq!(refused.code(), "INVALID_ARGUMENT");
}
