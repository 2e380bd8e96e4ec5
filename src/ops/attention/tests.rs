//! Attention against the f64 reference: prefill of batches, then decode of single tokens after them.

use super::reference::{attention, rope_kv};
use super::{Attention, AttentionParts, KvCache, KvType, Normed, QkNormWeights, Rope, RopeKind, Temperature};
use crate::gpu::Gpu;
use crate::ops::Phase;
use crate::ops::testing::{
    Rng, assert_close, batch, fill_with_guards, gpus, name, output, read, read_guarded, run, tensor, vector,
};

/// A case: the heads' shape, and what happens to them.
#[derive(Debug, Clone, Copy)]
struct Case {
    n_head: usize,
    n_head_kv: usize,
    head_dim: usize,
    rope: Option<(RopeKind, usize)>,
    qk_norm: Option<Normed>,
    temperature: Option<Temperature>,
    gated: bool,
    softcap: Option<f32>,
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
    qk_norm: None,
    temperature: None,
    gated: false,
    softcap: None,
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

/// Fails where one of the first `n` positions' neighbours in the cache was overwritten.
fn check_guards(gpu: &Gpu, cache: &KvCache, n_head_kv: usize, head_dim: usize, n: usize, what: &str) {
    let capacity = cache.capacity as usize;
    let n_elems = n_head_kv * capacity * head_dim;
    let element = |word: usize| match cache.ty {
        KvType::F32 => word,
        KvType::F16 => 2 * word,
        KvType::Q8_0 if word < n_elems / 4 => 4 * word,
        KvType::Q8_0 => (word - n_elems / 4) * 32,
    };
    let written = |word| element(word) < n_elems && element(word) / head_dim % capacity < n;
    read_guarded(gpu, &cache.k, what, written);
    read_guarded(gpu, &cache.v, what, written);
}

fn run_case(gpu: &Gpu, c: &Case, far: bool) {
    let what = format!("{c:?} far={far} {}", name(gpu));
    let mut rng = Rng(9);
    let width = (c.n_head + 2 * c.n_head_kv + if c.gated { c.n_head } else { 0 }) * c.head_dim;
    let n = c.batches[0] + c.batches[1] + c.n_decode;
    let max_batch = c.batches[0].max(c.batches[1]).max(1);
    let qkv = rng.vec(n * width, 2.0);
    let whole_row = c.qk_norm == Some(Normed::Row);
    let [q_norm, k_norm] =
        [c.n_head, c.n_head_kv].map(|n| rng.vec(if whole_row { n * c.head_dim } else { c.head_dim }, 2.0));

    // A window's ring holds the window and a batch; others the same for every length, so that kernels are shared.
    assert!(n <= LONGEST);
    let capacity = if c.window < n { c.window + max_batch } else { LONGEST } as u32;
    let (n_head, n_head_kv, head_dim) = (c.n_head as u32, c.n_head_kv as u32, c.head_dim as u32);
    let cache = KvCache::new(gpu, c.kv, n_head_kv, capacity, head_dim).unwrap();
    fill_with_guards(gpu, &cache.k);
    fill_with_guards(gpu, &cache.v);
    let (q_norm_v, k_norm_v) = (vector(gpu, &q_norm), vector(gpu, &k_norm));
    let rope = c.rope.map(|(kind, n_rot)| {
        let table: Vec<f32> = (0..n)
            .flat_map(|pos| (0..n_rot / 2).map(move |i| angle(pos, i, n_rot).sin_cos()))
            .flat_map(|(sin, cos)| [cos as f32, sin as f32])
            .collect();
        Rope { kind, n_rot: n_rot as u32, table: gpu.buffer_with("rope", &table).unwrap() }
    });
    let a = Attention {
        n_head,
        n_head_kv,
        head_dim,
        scale: (head_dim as f32).powf(-0.5),
        window: u32::try_from(c.window).unwrap_or(u32::MAX),
        rope: rope.as_ref(),
        softcap: c.softcap,
        qk_norm: c.qk_norm.map(|of| QkNormWeights { q: &q_norm_v, k: &k_norm_v, eps: EPS, of }),
        temperature: c.temperature,
        gated: c.gated,
        cache: &cache,
    };
    let prepared = rope_kv(&a, &qkv, [&q_norm, &k_norm], |pos, i| angle(pos, i, c.rope.unwrap().1));
    let want = attention(&a, &prepared);

    let parts = AttentionParts::new(gpu, n_head, head_dim).unwrap();
    let mut got = Vec::new();
    let mut pos = 0;
    let mut batches = c.batches.to_vec();
    batches.extend(vec![1; c.n_decode]);
    for (i, n_tokens) in batches.into_iter().enumerate().filter(|(_, n)| *n > 0) {
        let phase = if i < 2 { Phase::Prefill } else { Phase::Decode { far } };
        let rows = pos * width..(pos + n_tokens) * width;
        let qkv = tensor(gpu, n_tokens, width, &qkv[rows.clone()]);
        let out = output(gpu, n_tokens, c.n_head * c.head_dim);
        run(gpu, &batch(gpu, pos, n_tokens), phase, n_tokens, |r| r.attention(&a, &qkv, &out, &parts).unwrap());
        got.extend(read(gpu, &out, n_tokens));
        if phase == Phase::Prefill {
            assert_close(&read(gpu, &qkv, n_tokens), &prepared[rows], 1e-5, &what);
        }
        pos += n_tokens;
    }
    let tolerance = match c.kv {
        KvType::F32 => 1e-5,
        KvType::F16 => 1e-3,
        KvType::Q8_0 => 1e-2,
    };
    assert_close(&got, &want, tolerance, &what);
    check_guards(gpu, &cache, c.n_head_kv, c.head_dim, n, &what);
}

fn run_all(cases: &[Case]) {
    for mut gpu in gpus() {
        // Divided for a CPU and for a GPU, behind few positions and many: every pair of these with and without
        // subgroups, in half as many runs.
        for far in [false, true] {
            gpu.caps.software = far != (gpu.caps.subgroup_min > 0);
            cases.iter().for_each(|c| run_case(&gpu, c, far));
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
    let (each_head, whole_row, rotated) = (Some(Normed::Head), Some(Normed::Row), Some(Normed::RotatedHead));
    let temperature = Some(Temperature { scale: 0.5, n_ctx_orig: 3 });
    run_all(&[
        rope(RopeKind::Interleaved, 20, None),
        rope(RopeKind::HalfSplit, 24, None),
        rope(RopeKind::HalfSplit, 64, each_head),
        rope(RopeKind::HalfSplit, 64, rotated),
        rope(RopeKind::HalfSplit, 24, rotated),
        Case { temperature, ..rope(RopeKind::Interleaved, 64, None) },
        rope(RopeKind::Interleaved, 64, each_head),
        Case { qk_norm: each_head, ..PLAIN },
        Case { head_dim: 4, ..rope(RopeKind::Interleaved, 4, None) },
        Case { qk_norm: whole_row, ..PLAIN },
        Case { n_head: 32, head_dim: 16, ..rope(RopeKind::HalfSplit, 16, whole_row) },
    ]);
}

#[test]
fn gates() {
    let rope = Some((RopeKind::HalfSplit, 16));
    let gate = Case { gated: true, qk_norm: Some(Normed::Head), rope, ..PLAIN };
    run_all(&[
        Case { batches: [5, 9], ..gate },
        Case { n_head: 3, n_head_kv: 1, head_dim: 256, batches: [300, 17], ..gate },
        Case { head_dim: 32, batches: [20, 1], kv: KvType::F16, ..gate },
    ]);
}

#[test]
fn capped_scores() {
    run_all(&[Case { softcap: Some(0.5), batches: [5, 9], n_decode: 1, ..PLAIN }]);
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
