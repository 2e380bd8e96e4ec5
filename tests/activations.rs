//! Every named intermediate of the fixture models against llama.cpp's, natively.
//!
//! References are made by `scripts/make_fixtures.py`, which documents the format.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Npy, load_with, repository};
use webgguf::model::{Activation, LoadOptions};

/// Relative L2 within which an f32 engine must be.
const TOLERANCE: f64 = 1e-4;

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

fn check_case(model: &str, case: &Path, subgroups: bool) -> Result<usize, String> {
    let index: Index = serde_json::from_slice(&std::fs::read(case.join("index.json")).unwrap()).unwrap();
    let path = repository().join("models").join(format!("{model}.gguf"));
    // The context chooses between phi3's short and long rotary factors.
    let session =
        load_with(&path, subgroups, &LoadOptions { context_length: Some(index.n_ctx), ..LoadOptions::default() });
    let steps = pollster::block_on(session.capture(&index.tokens, index.decoded.len())).unwrap();
    let named: Vec<BTreeMap<&str, &Activation>> =
        steps.iter().map(|s| s.iter().map(|a| (a.name.as_str(), a)).collect()).collect();
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
        let n_steps = if prefill { 1 } else { index.decoded.len() };
        let mut entries = want.data.chunks_exact(want.data.len() / (n_steps * layers.len()));
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
    let what = format!("{model} {} subgroups={subgroups}", case.file_name().unwrap().to_string_lossy());
    let mut failed = Vec::new();
    for ((phase, name), w) in &worst {
        let verdict = if w.rel_l2 <= TOLERANCE { "pass" } else { "FAIL" };
        let line = format!(
            "{what} {phase:8} {name:24} max {:.2e} mean {:.2e} relative L2 {:.2e} {verdict}",
            w.max_abs, w.mean_abs, w.rel_l2
        );
        println!("{line}");
        if w.rel_l2 > TOLERANCE {
            failed.push(line);
        }
    }
    if failed.is_empty() { Ok(n_checked) } else { Err(failed.join("\n")) }
}

fn check(model: &str) {
    let dir = repository().join("tests/fixtures").join(model);
    let mut cases: Vec<_> =
        std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases for {model}");
    for case in cases {
        for subgroups in [true, false] {
            let n = check_case(model, &case, subgroups).unwrap_or_else(|e| panic!("{e}"));
            assert!(n > 0);
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
    gpt2 = "gpt2-tiny",
    qwen3 = "qwen3-tiny",
    qwen3moe = "qwen3moe",
    gemma3 = "gemma3-tiny",
    gemma = "gemma",
    gemma2 = "gemma2",
    granite = "granite",
    llama_rope_linear = "llama-rope-linear",
    llama_rope_llama3 = "llama-rope-llama3",
    llama_rope_yarn = "llama-rope-yarn",
    llama_untied = "llama-untied",
    olmo2 = "olmo2",
    phi3 = "phi3",
    phi3_longrope = "phi3-longrope",
    qwen2 = "qwen2",
    smollm3 = "smollm3",
}
