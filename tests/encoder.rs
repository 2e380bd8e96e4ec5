//! Encoders: every named intermediate against llama.cpp's, vectors, and what a text's vector may depend on.
//!
//! References are made by `scripts/fixtures/encoder_fixtures.py`, which documents the format.

#[allow(dead_code, reason = "each test uses some of it")]
#[path = "common/data.rs"]
mod data;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use data::{Npy, Rng, assert_close, record, repository};
use pollster::block_on;
use webgguf::encoder::{EmbedEvents, EmbedOptions, Embedder, Prefix, similarity};
use webgguf::gpu::Gpu;
use webgguf::source::MemorySource;
use webgguf::{Error, Result};

const MODELS: [&str; 2] = ["bert", "bert-fused"];
const TOLERANCE: f64 = 1e-4;

#[derive(serde::Deserialize)]
struct Index {
    tokens: Vec<u32>,
    rows: Vec<usize>,
    nodes: BTreeMap<String, (Option<Vec<usize>>, String)>,
    pooled: BTreeMap<String, Vec<f64>>,
}

fn case(model: &str, name: &str) -> (PathBuf, Index) {
    let dir = repository().join("tests/fixtures").join(model).join(name);
    let index = serde_json::from_slice(&std::fs::read(dir.join("index.json")).unwrap()).unwrap();
    (dir, index)
}

fn file(model: &str) -> Vec<u8> {
    std::fs::read(repository().join(format!("tests/fixtures/models/{model}.gguf"))).unwrap()
}

/// The file with another value of a number of four bytes in its metadata.
fn with_u32(mut file: Vec<u8>, key: &str, value: u32) -> Vec<u8> {
    let at = file.windows(key.len()).position(|w| w == key.as_bytes()).unwrap() + key.len() + 4;
    file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    file
}

fn load_on(gpu: Gpu, file: &[u8]) -> Result<Embedder> {
    block_on(Embedder::load_on(gpu, &MemorySource(file.to_vec()), None, &()))
}

fn load(file: &[u8]) -> Embedder {
    load_on(block_on(Gpu::new()).unwrap(), file).unwrap()
}

fn embed(e: &Embedder, texts: &[&str], options: &EmbedOptions) -> Result<Vec<Vec<f32>>> {
    let vectors = block_on(e.embed(texts, options, &()))?;
    assert_eq!(vectors.data.len(), texts.len() * vectors.dimensions);
    Ok((0..texts.len()).map(|i| vectors.row(i).to_vec()).collect())
}

/// A run's tensors by name, the first rows of each.
type Run = BTreeMap<String, Vec<f32>>;

fn capture(e: &Embedder, texts: &[Vec<u32>]) -> Run {
    let n_tokens: usize = texts.iter().map(Vec::len).sum();
    let captured = block_on(e.capture(texts)).unwrap();
    let read = |c: &webgguf::encoder::Captured| {
        let rows = if c.name == "pooled.y" { texts.len() } else { n_tokens };
        block_on(e.gpu.read(&c.copy, rows * c.width as usize)).unwrap()
    };
    captured.iter().map(|c| (c.name.clone(), read(c))).collect()
}

/// What llama.cpp calls by a name, all rows of it.
fn node(run: &Run, name: &str, layer: usize, width: usize) -> Vec<f32> {
    let of = |op: &str| run.get(&format!("L{layer:02}.{op}")).or_else(|| run.get(op)).unwrap().clone();
    // A third of each row.
    let third = |i: usize| {
        let qkv = of("attn_qkv.y");
        qkv.chunks_exact(3 * width).flat_map(|row| row[i * width..][..width].to_vec()).collect()
    };
    // What a matmul added to y.
    let added = |op: &str| {
        let (after, before) = (of(&format!("{op}.y")), of(&format!("{op}.before")));
        after.iter().zip(before).map(|(a, b)| a - b).collect()
    };
    match name {
        "inp_embd" => of("inp_embd.y"),
        "inp_norm" => run["L00.attn_qkv.x"].clone(),
        "Qcur" => third(0),
        "Kcur" => third(1),
        "Vcur" => third(2),
        "kqv" => of("attn.y"),
        "kqv_out" => added("attn_output"),
        "ffn_inp" => of("ffn_up.x"),
        "ffn_gelu" => of("ffn_up.y"),
        "ffn_out" => added("ffn_down"),
        "result_embd" => of("pooled.x"),
        _ => panic!("llama.cpp's '{name}' is not compared"),
    }
}

#[test]
fn intermediates_are_llama_cpps() {
    for model in MODELS {
        let file = file(model);
        let gpus = block_on(async { [Gpu::new().await.unwrap(), Gpu::new().await.unwrap().without_subgroups()] });
        for (gpu, mode) in gpus.into_iter().zip(["f32", "f32 without subgroups"]) {
            let e = load_on(gpu, &file).unwrap();
            for name in ["t1", "t7", "t64", "t500"] {
                let (dir, index) = case(model, name);
                // Not the first text of the batch, nor the last.
                let texts = [vec![2, 9, 3], index.tokens.clone(), vec![2, 11, 12, 3]];
                let run = capture(&e, &texts);
                let (mut n, mut worst) = (0, 0f64);
                for (node_name, (layers, file)) in &index.nodes {
                    let want = Npy::read(&dir.join(file)).data;
                    let layers = layers.clone().unwrap_or_else(|| vec![0]);
                    for (&layer, want) in layers.iter().zip(want.chunks_exact(want.len() / layers.len())) {
                        let width = want.len() / index.rows.len();
                        let got = node(&run, node_name, layer, width);
                        let got = got[3 * width..].chunks_exact(width);
                        let got: Vec<f32> =
                            index.rows.iter().flat_map(|&row| got.clone().nth(row).unwrap().to_vec()).collect();
                        let want: Vec<f64> = want.iter().map(|&v| v.into()).collect();
                        let what = format!("{model} {name} {mode} {node_name}-{layer}");
                        worst = worst.max(assert_close(&got, &want, TOLERANCE, &what));
                        n += 1;
                    }
                }
                println!("{model} {name} {mode}: {n} nodes, relative L2 {worst:.2e}");
                assert!(n >= 18);
                let result = serde_json::json!({
                    "model": model, "architecture": e.config.arch, "case": name, "mode": mode, "nodes": n, "worst": worst,
                    "where": "native",
                });
                record("encoders", &format!("{model}.{name}.{}", mode.replace(' ', "_")), result);
            }
        }
    }
}

#[test]
fn pooled_vectors_are_llama_cpps() {
    for (model, pooling, id) in [("bert", "mean", 1), ("bert-fused", "cls", 2), ("bert", "last", 3)] {
        let e = load(&with_u32(file(model), "bert.pooling_type", id));
        assert_eq!(e.info.pooling, pooling);
        for name in ["t1", "t7", "t64", "t500"] {
            let (_, index) = case(model, name);
            let got = &capture(&e, &[vec![2, 3], index.tokens])["pooled.y"][64..];
            let want = &index.pooled[pooling];
            assert_close(got, want, TOLERANCE, &format!("{model} {pooling} {name}"));
            let want: Vec<f32> = want.iter().map(|&v| v as f32).collect();
            let cosine = similarity(got, &want).unwrap();
            println!("{model} {pooling} {name}: cosine {cosine:.9}");
            assert!(cosine >= 0.99999, "{model} {pooling} {name}: cosine {cosine}");
        }
    }
}

/// Texts of one to 200 words.
fn texts(n: usize) -> Vec<String> {
    let words = ["late", "prince", "the old", "countess", "and", "xyz,", "what news", "army", "?", "in the morning"];
    let mut rng = Rng(5);
    let mut word = || words[rng.next() as usize % words.len()];
    (0..n).map(|i| (0..=i * i % 67).map(|_| word()).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_vector_does_not_depend_on_other_texts() {
    for model in MODELS {
        let e = load(&file(model));
        let texts = texts(70);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let options = EmbedOptions::default();
        let together = embed(&e, &texts, &options).unwrap();
        for i in (0..texts.len()).step_by(9) {
            let alone = embed(&e, &texts[i..=i], &options).unwrap();
            assert!(alone[0] == together[i], "{model}: text {i}");
        }
        let backwards: Vec<&str> = texts.iter().rev().copied().collect();
        let backwards = embed(&e, &backwards, &options).unwrap();
        assert!(backwards.iter().rev().eq(&together), "{model}: the other way round");
    }
}

#[test]
fn options_change_vectors_as_they_say() {
    let e = load(&file("bert"));
    let plain = embed(&e, &["the old countess"], &EmbedOptions::default()).unwrap().remove(0);
    let length = |v: &[f32]| v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    assert!((length(&plain) - 1.0).abs() < 1e-6);
    let with = |options| embed(&e, &["the old countess"], &options).unwrap().remove(0);
    let raw = with(EmbedOptions { normalize: false, ..EmbedOptions::default() });
    assert!(length(&raw) > 1.1 && (similarity(&raw, &plain).unwrap() - 1.0).abs() < 1e-6);
    let cut = with(EmbedOptions { dimensions: Some(16), ..EmbedOptions::default() });
    assert!(cut.len() == 16 && (length(&cut) - 1.0).abs() < 1e-6);
    assert!((similarity(&cut, &raw[..16]).unwrap() - 1.0).abs() < 1e-6);
    let prefixed = with(EmbedOptions { prefix: Prefix::of("query: "), ..EmbedOptions::default() });
    assert!(prefixed == embed(&e, &["query: the old countess"], &EmbedOptions::default()).unwrap()[0]);
    let named = EmbedOptions { prefix: Prefix::Query, ..EmbedOptions::default() };
    assert!(embed(&e, &["a"], &named).unwrap_err().to_string().contains("'random bert'"));
    for dimensions in [0, 65] {
        let options = EmbedOptions { dimensions: Some(dimensions), ..EmbedOptions::default() };
        let error = embed(&e, &["a"], &options).unwrap_err();
        assert_eq!(error.code(), "INVALID_ARGUMENT");
        assert!(error.to_string().contains("1 to 64 is allowed"), "{error}");
    }
}

#[test]
fn what_cannot_be_embedded_is_an_error() {
    let e = load(&file("bert"));
    let options = EmbedOptions::default();
    assert!(embed(&e, &[], &options).unwrap().is_empty());
    for empty in ["", " \n\t"] {
        let error = embed(&e, &["a", empty], &options).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), ("INVALID_ARGUMENT", "text 1 of 2 is empty"));
    }
    let long = "late ".repeat(511);
    let error = embed(&e, &["a", &long], &options).unwrap_err();
    assert_eq!(error.code(), "CONTEXT_OVERFLOW");
    assert!(error.to_string().contains("text 1 has 513 tokens, 512 are allowed"), "{error}");
    // 510 words and what is around them fit.
    let fits = "late ".repeat(510);
    let whole = embed(&e, &[&fits], &options).unwrap();
    let cut = embed(&e, &[&long], &EmbedOptions { truncate: true, ..options.clone() }).unwrap();
    assert!(whole == cut);
    // What spells a control token is letters.
    let ids = |text: &str| embed(&e, &[text], &options).unwrap();
    assert!(ids("[SEP]") == ids("[ sep ]"));
}

/// Ends a call after some texts.
struct Ends {
    after: usize,
    done: Cell<usize>,
}

impl EmbedEvents for Ends {
    fn progress(&self, done: usize, total: usize) {
        assert!(done > self.done.get() && done <= total);
        self.done.set(done);
    }

    fn check(&self) -> Result<()> {
        if self.done.get() >= self.after { Err(Error::Aborted("enough".into())) } else { Ok(()) }
    }
}

#[test]
fn many_texts_report_progress_and_can_be_aborted() {
    let e = load(&file("bert"));
    let texts: Vec<String> = (0..600).map(|i| format!("the old countess {i}")).collect();
    let all = Ends { after: usize::MAX, done: Cell::new(0) };
    let vectors = block_on(e.embed(&texts, &EmbedOptions::default(), &all)).unwrap();
    assert_eq!((vectors.data.len(), all.done.get()), (600 * 64, 600));
    let some = Ends { after: 1, done: Cell::new(0) };
    let error = block_on(e.embed(&texts, &EmbedOptions::default(), &some)).unwrap_err();
    assert_eq!(error.code(), "ABORTED");
    assert!((1..600).contains(&some.done.get()));
    // The next call is as if nothing had been.
    let again = block_on(e.embed(&texts[..3], &EmbedOptions::default(), &())).unwrap();
    assert!(again.data == vectors.data[..3 * 64]);
    e.gpu.destroy();
    let error = block_on(e.embed(&texts, &EmbedOptions::default(), &())).unwrap_err();
    assert_eq!(error.code(), "DEVICE_LOST", "{error}");
}

#[test]
fn files_that_are_no_encoders_are_refused() {
    let refused = |file: &[u8], code: &str, message: &str| {
        let error = load_on(block_on(Gpu::new()).unwrap(), file).err().unwrap();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    };
    refused(&file("qwen2"), "UNSUPPORTED_ARCHITECTURE", "architecture is 'qwen2', which makes no embeddings here");
    let bert = || file("bert");
    refused(&with_u32(bert(), "bert.pooling_type", 4), "UNSUPPORTED_ARCHITECTURE", "is a reranker");
    refused(&with_u32(bert(), "bert.pooling_type", 9), "MALFORMED_GGUF", "'bert.pooling_type' is 9");
    refused(&with_u32(bert(), "bert.block_count", 1), "UNSUPPORTED_ARCHITECTURE", "tensor 'blk.1.");
    refused(&with_u32(bert(), "bert.block_count", 3), "MALFORMED_GGUF", "tensor 'blk.2.attn_q.weight' is missing");
    refused(&with_u32(bert(), "bert.embedding_length", 128), "MALFORMED_GGUF", "has shape");
    refused(&with_u32(bert(), "bert.attention.head_count", 3), "MALFORMED_GGUF", "64 elements are no 3 heads");
    refused(&with_u32(bert(), "bert.attention.head_count", 0), "MALFORMED_GGUF", "is 0, 1 to");
    refused(&with_u32(bert(), "bert.context_length", u32::MAX), "MALFORMED_GGUF", "1 to 1048576 is allowed");
    refused(&with_u32(bert(), "bert.attention.layer_norm_epsilon", f32::NAN.to_bits()), "MALFORMED_GGUF", "is NaN");
}
