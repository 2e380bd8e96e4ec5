//! Every named intermediate of the fixture models against llama.cpp's, natively.
//!
//! References are made by `scripts/fixtures/make_fixtures.py`, which documents the format.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use common::{Npy, load_on, model_file, record, repository};
use webgguf::gpu::Gpu;
use webgguf::llm::{Activation, LoadOptions, Session};
use webgguf::ops::KvType;

/// How a case is run, and the relative L2 within which it must be.
struct Mode {
    name: &'static str,
    subgroups: bool,
    /// Work is divided as for a GPU, which multiplies integers, too.
    as_gpu: bool,
    kv: KvType,
    tolerance: f64,
}

/// The path that must agree with llama.cpp's f32, on every case.
const EXACT: Mode = Mode { name: "f32", subgroups: true, as_gpu: false, kv: KvType::F32, tolerance: 1e-4 };
/// Others, on one case each.
const AS_GPU: Mode = Mode { name: "f32 divided as for a GPU", as_gpu: true, ..EXACT };
const NO_SUBGROUPS: Mode = Mode { name: "f32 without subgroups", subgroups: false, ..EXACT };
const F16_CACHE: Mode = Mode { name: "f16 cache", kv: KvType::F16, tolerance: 5e-3, ..EXACT };
const Q8_0_CACHE: Mode = Mode { name: "q8_0 cache", kv: KvType::Q8_0, tolerance: 5e-2, ..EXACT };

/// A node of `index.json`.
#[derive(serde::Deserialize)]
struct Node {
    name: String,
    file: String,
    phase: String,
    layers: Option<Vec<usize>>,
    rows: Option<Vec<usize>>,
}

#[derive(serde::Deserialize)]
struct Index {
    tokens: Vec<u32>,
    decoded: Vec<u32>,
    n_ctx: u32,
    nodes: Vec<Node>,
}

impl Index {
    fn read(case: &Path) -> Self {
        serde_json::from_slice(&std::fs::read(case.join("index.json")).unwrap()).unwrap()
    }
}

/// Worst errors of a node over layers and steps.
#[derive(Default)]
struct Worst {
    max_abs: f64,
    mean_abs: f64,
    rel_l2: f64,
}

impl Worst {
    fn see(&mut self, got: &[f32], want: &[f32]) {
        let diffs = got.iter().zip(want).map(|(&g, &w)| (f64::from(g) - f64::from(w)).abs());
        let (mut max, mut sum, mut sq) = (0f64, 0f64, 0f64);
        for d in diffs {
            max = if d.is_nan() { f64::INFINITY } else { max.max(d) };
            sum += d;
            sq += d * d;
        }
        let norm: f64 = want.iter().map(|&w| f64::from(w).powi(2)).sum();
        self.max_abs = self.max_abs.max(max);
        self.mean_abs = self.mean_abs.max(sum / want.len() as f64);
        let rel = (sq / norm.max(1e-30)).sqrt();
        self.rel_l2 = if rel.is_nan() { f64::INFINITY } else { self.rel_l2.max(rel) };
    }
}

/// The capture's rows of a node: those the reference keeps, of a prefill of `n_tokens`.
fn kept(a: &Activation, per_head: bool, n_tokens: usize, rows: Option<&[usize]>, n_pos: usize) -> Vec<f32> {
    let row = |r: usize| &a.data[r * a.width..(r + 1) * a.width];
    let tokens: Vec<usize> = rows.map_or_else(|| (0..n_tokens).collect(), <[usize]>::to_vec);
    let mut out = Vec::new();
    if per_head {
        for head in 0..a.rows / n_tokens {
            for &t in &tokens {
                let r = row(head * n_tokens + t);
                out.extend_from_slice(r);
                out.resize(out.len() + n_pos - r.len(), 0.0);
            }
        }
    } else if a.rows == 1 && n_tokens > 1 {
        // Only the last token goes through the output matrix.
        out.extend_from_slice(row(0));
    } else {
        tokens.iter().for_each(|&t| out.extend_from_slice(row(t)));
    }
    out
}

/// Check a case; the nodes checked and the worst relative L2.
fn check_case(model: &str, session: &Rc<Session>, case: &Path, mode: &Mode) -> Result<(usize, f64), String> {
    let index = Index::read(case);
    let steps = pollster::block_on(session.capture(&index.tokens, index.decoded.len())).unwrap();
    let named: Vec<BTreeMap<&str, &Activation>> =
        steps.iter().map(|s| s.iter().map(|a| (a.name.as_str(), a)).collect()).collect();
    for (named, step) in named.iter().zip(&steps) {
        assert_eq!(named.len(), step.len(), "{model}: a name stands for two nodes");
    }
    let best = |step: usize| {
        let logits = &named[step]["result_output"].data;
        (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap() as u32
    };
    let n_alike = index.decoded.iter().enumerate().take_while(|&(i, &id)| best(i) == id).count();
    if mode.tolerance == EXACT.tolerance {
        assert_eq!(n_alike, index.decoded.len(), "{model}: greedy ids");
    }
    let mut worst: BTreeMap<(String, String), Worst> = BTreeMap::new();
    let mut n_checked = 0;
    for node in &index.nodes {
        let want = Npy::read(&case.join(&node.file));
        let prefill = node.phase == "prefill";
        let per_head = node.name.starts_with("kq") && !node.name.starts_with("kqv");
        let layers: Vec<String> = match &node.layers {
            Some(layers) => layers.iter().map(|l| format!("{}-{l}", node.name)).collect(),
            None => vec![node.name.clone()],
        };
        // A rounded cache may choose another token somewhere; what follows can't be compared.
        let n_steps = if prefill { 1 } else { n_alike };
        let n_entries = if prefill { 1 } else { index.decoded.len() } * layers.len();
        let mut entries = want.data.chunks_exact(want.data.len() / n_entries);
        for step in 0..n_steps {
            let (at, n_tokens) = if prefill { (0, index.tokens.len()) } else { (1 + step, 1) };
            for layer in &layers {
                let mut want = entries.next().unwrap().to_vec();
                let Some(a) = named[at].get(layer.as_str()) else {
                    return Err(format!("{model}: the capture has no '{layer}'"));
                };
                let n_pos = index.tokens.len() + if prefill { 0 } else { index.decoded.len() };
                let rows = node.rows.as_deref().filter(|_| prefill);
                let got = kept(a, per_head, n_tokens, rows, n_pos);
                if got.len() < want.len() {
                    want.drain(..want.len() - got.len());
                }
                assert_eq!(got.len(), want.len(), "{model} {layer}");
                worst.entry((node.phase.clone(), node.name.clone())).or_default().see(&got, &want);
                n_checked += 1;
            }
        }
    }
    let what = format!("{model} {} {}", case.file_name().unwrap().to_string_lossy(), mode.name);
    let mut failed = Vec::new();
    let mut worst_of_all = 0f64;
    for ((phase, name), w) in &worst {
        let verdict = if w.rel_l2 <= mode.tolerance { "pass" } else { "FAIL" };
        let line = format!(
            "{what} {phase:8} {name:24} max {:.2e} mean {:.2e} relative L2 {:.2e} {verdict}",
            w.max_abs, w.mean_abs, w.rel_l2
        );
        println!("{line}");
        worst_of_all = worst_of_all.max(w.rel_l2);
        if w.rel_l2 > mode.tolerance {
            failed.push(line);
        }
    }
    if failed.is_empty() { Ok((n_checked, worst_of_all)) } else { Err(failed.join("\n")) }
}

fn check(model: &str) {
    let dir = repository().join("tests/fixtures").join(model);
    let mut cases: Vec<_> =
        std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases for {model}");
    let path = model_file(model);
    for mode in [EXACT, AS_GPU, NO_SUBGROUPS, F16_CACHE, Q8_0_CACHE] {
        // The trained models, which have their families' values, stand for the others; so does the block that is unlike
        // them without subgroups. (With a q8_0 cache its random router takes another expert somewhere.)
        let trained = model.ends_with("-tiny") || model == "embedded";
        let run = match mode.name {
            "f32 without subgroups" => trained || model == "qwen3moe",
            "q8_0 cache" => trained,
            _ => true,
        };
        if !run {
            continue;
        }
        let mut session: Option<Rc<Session>> = None;
        for case in &cases {
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            // Positions enough for a cache's rounding.
            let only = if mode.kv == KvType::F32 { "t7" } else { "t64" };
            if mode.name != EXACT.name && name != only {
                continue;
            }
            // The context chooses between phi3's short and long rotary factors.
            let n_ctx = Index::read(case).n_ctx;
            if session.as_ref().is_none_or(|s| s.model.n_ctx() != n_ctx) {
                let options =
                    LoadOptions { context_length: Some(n_ctx), kv_type: Some(mode.kv), ..LoadOptions::default() };
                let mut gpu = pollster::block_on(Gpu::new()).unwrap();
                if !mode.subgroups {
                    gpu = gpu.without_subgroups();
                }
                gpu.caps.software &= !mode.as_gpu;
                session = Some(load_on(gpu, &path, &options));
            }
            let session = session.as_ref().unwrap();
            let (n, worst) = check_case(model, session, case, &mode).unwrap_or_else(|e| panic!("{e}"));
            assert!(n > 0);
            let result = serde_json::json!({
                "model": model, "architecture": session.model.config.arch, "case": name, "mode": mode.name,
                "nodes": n, "worst": worst, "where": "native",
            });
            record("activations", &format!("{model}.{name}.{}", mode.name.replace(' ', "_")), result);
        }
    }
}

macro_rules! models {
    ($($name:ident = $model:literal),* $(,)?) => {
        $(#[test] fn $name() { check($model); })*
    };
}

models! {
    embedded = "embedded",
    ernie4_5 = "ernie4_5",
    exaone4 = "exaone4",
    gpt2 = "gpt2-tiny",
    qwen3 = "qwen3-tiny",
    qwen3moe = "qwen3moe",
    gemma3 = "gemma3-tiny",
    gemma = "gemma",
    gemma2 = "gemma2",
    granite = "granite",
    granite_bias = "granite-bias",
    hunyuan_dense = "hunyuan-dense",
    lfm2 = "lfm2",
    lfm2moe = "lfm2moe",
    llama_ffn_bias = "llama-ffn-bias",
    llama_rope_linear = "llama-rope-linear",
    llama_rope_llama3 = "llama-rope-llama3",
    llama_rope_yarn = "llama-rope-yarn",
    llama_untied = "llama-untied",
    mistral3 = "mistral3",
    olmo2 = "olmo2",
    olmo3 = "olmo3",
    phi3 = "phi3",
    phi3_longrope = "phi3-longrope",
    qwen2 = "qwen2",
    qwen2_output_bias = "qwen2-output-bias",
    qwen35 = "qwen35",
    qwen35moe = "qwen35moe",
    smollm3 = "smollm3",
}
