//! Whole generations against fixed texts: the end-to-end test.

mod common;

use std::rc::Rc;

use common::{load, load_with, model_file, record, repository, shared};
use webgguf::llm::{FinishReason, GenerateOptions, LoadOptions, Sampling, Sequence, Session};
use webgguf::ops::{KvType, N_RECENT};
use webgguf::tokenizer::DecodeOptions;

#[derive(serde::Deserialize)]
struct Greedy {
    prompt_tokens: Vec<u32>,
    tokens: Vec<u32>,
    text: String,
}

fn greedy(max_tokens: u32) -> GenerateOptions {
    GenerateOptions { max_tokens, sampling: Sampling::GREEDY, ignore_end: true, ..GenerateOptions::default() }
}

fn generate(session: &Rc<Session>, prompt: &[u32], options: GenerateOptions) -> (Vec<u32>, String) {
    pollster::block_on(async {
        let mut generation = session.generate(0, prompt, options).await.unwrap();
        let mut text = String::new();
        while let Some(piece) = generation.next().await.unwrap() {
            text.push_str(&piece);
        }
        (generation.generated().to_vec(), text)
    })
}

#[test]
fn fixture_models_write_what_llama_cpp_writes() {
    let mut n = 0;
    for entry in std::fs::read_dir(repository().join("tests/fixtures")).unwrap() {
        let path = entry.unwrap().path();
        let model = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(want) = std::fs::read(path.join("greedy.json")) else { continue };
        let want: Greedy = serde_json::from_slice(&want).unwrap();
        // Small batches, so that sliding windows wrap around in their rings.
        let options = LoadOptions { context_length: Some(256), n_batch: 16, ..LoadOptions::default() };
        let session = load_with(&model_file(&model), true, &options);
        let (ids, text) = generate(&session, &want.prompt_tokens, greedy(want.tokens.len() as u32));
        assert_eq!(ids, want.tokens, "{model}: {text}");
        let decode =
            |show_special| session.text.tokenizer.decode(&ids, DecodeOptions { show_special, continues: true });
        // llama.cpp takes spaces before punctuation away; trained models write none.
        assert_eq!(decode(true).replace(" ,", ","), want.text, "{model}");
        assert_eq!(decode(false), text, "{model}, streamed");
        println!("{model}: {} greedy tokens equal llama.cpp's", ids.len());
        let arch = &session.model.config.arch;
        record("greedy", &model, serde_json::json!({"model": model, "architecture": arch, "tokens": ids.len()}));
        n += 1;
    }
    assert!(n >= 17, "{n} models were found");
}

#[test]
fn stories_match_the_reference_for_every_type() {
    let Some(json) = shared("llm/stories260K/stories260K.greedy.json") else { return };
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    for ty in ["f32", "f16", "q8_0", "q4_0"] {
        let name = format!("stories260K-{ty}.gguf");
        let Some(path) = shared(&format!("llm/stories260K/{name}")) else { return };
        let reference = &json["models"][&name];
        let want: Vec<u32> = serde_json::from_value(reference["ids"].clone()).unwrap();
        let session = load(&path, true);
        let (ids, text) = generate(&session, &want[..1], greedy(want.len() as u32 - 1));
        assert_eq!(ids, want[1..], "{name}: {text}");
        println!("{name}: {} greedy tokens equal", ids.len());
        for pos in [0usize, 20] {
            let logits: Vec<f32> = serde_json::from_value(reference[format!("logits_step{pos}")].clone()).unwrap();
            let steps = pollster::block_on(session.capture(&want[..=pos], 0)).unwrap();
            let got = &steps[0].iter().find(|a| a.name == "result_output").unwrap().data;
            let err: f64 = got.iter().zip(&logits).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            let norm: f64 = logits.iter().map(|&b| f64::from(b).powi(2)).sum();
            let rel = (err / norm).sqrt();
            println!("{name}: logits at {pos} within relative L2 {rel:.1e}");
            assert!(rel < 1e-4, "{name}: logits at {pos} differ by {rel:.1e}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_text_however_steps_are_pipelined() {
    let session = load(&model_file("embedded"), true);
    let prompt = session.text.prompt_ids("Prince Andrew");
    let sampled = |seed, max_tokens| {
        let mut o = GenerateOptions { max_tokens, ..GenerateOptions::default() };
        o.sampling.seed = seed;
        o.sampling.repeat_penalty = 1.1;
        o
    };
    let (ids, text) = generate(&session, &prompt, sampled(7, 40));
    println!("Prince Andrew{text}");
    assert_eq!(generate(&session, &prompt, sampled(7, 40)).0, ids);
    assert_ne!(generate(&session, &prompt, sampled(8, 40)).0, ids);
    // One token at a time, each from a new prompt, reuses the cache; greedy must not notice.
    let (whole, _) = generate(&session, &prompt, greedy(12));
    let mut grown = prompt.clone();
    for _ in 0..12 {
        grown.push(generate(&session, &grown, greedy(1)).0[0]);
        assert!(session.stats().reused_tokens + 2 >= grown.len() as u32 - 1);
    }
    assert_eq!(grown[prompt.len()..], whole);
}

#[test]
fn steps_submitted_together_sample_what_single_ones_do() {
    let want = std::fs::read(repository().join("tests/fixtures/embedded/greedy.json")).unwrap();
    let want: Greedy = serde_json::from_slice(&want).unwrap();
    let session = load(&model_file("embedded"), true);
    let model = &session.model;
    let read = model.gpu.readback(u64::from(N_RECENT) * 4);
    let ids_back = |from: u32, n: u32| {
        let pending = model.gpu.map(&read);
        let ids = model.gpu.read_with(&read, pending, |bytes| {
            let id = |i: u32| u32::from_le_bytes(bytes[(i % N_RECENT) as usize * 4..][..4].try_into().unwrap());
            (from..from + n).map(id).collect::<Vec<u32>>()
        });
        pollster::block_on(ids).unwrap()
    };
    let prompt = &want.prompt_tokens;
    let sequence = pollster::block_on(Sequence::new(model)).unwrap();
    let first = sequence.prefill(model, prompt, prompt, &Sampling::GREEDY, &read).unwrap();
    let mut ids = ids_back(first, 1);
    for n_steps in [1, 8, 3, 32, 19] {
        sequence.decode(model, n_steps, 0, &Sampling::GREEDY, &read);
        ids.extend(ids_back(first + ids.len() as u32, n_steps));
    }
    assert_eq!(ids[..want.tokens.len()], want.tokens);
}

#[test]
fn smaller_caches_write_the_same_text() {
    let want = std::fs::read(repository().join("tests/fixtures/embedded/greedy.json")).unwrap();
    let want: Greedy = serde_json::from_slice(&want).unwrap();
    let mut bytes = Vec::new();
    for kv in KvType::ALL {
        let options = LoadOptions { kv_type: Some(kv), ..LoadOptions::default() };
        let session = load_with(&model_file("embedded"), true, &options);
        let (ids, _) = generate(&session, &want.prompt_tokens, greedy(want.tokens.len() as u32));
        let n = ids.iter().zip(&want.tokens).take_while(|(a, b)| a == b).count();
        let memory = &session.info.memory;
        let name = memory.kv_cache_type;
        println!("{name}: {n} of {} tokens are llama.cpp's; {} bytes", ids.len(), memory.kv_cache);
        let positions = memory.kv_cache / memory.kv_bytes_per_position;
        assert_eq!(positions, u64::from(session.model.n_ctx()), "{name}: every layer keeps all positions");
        assert!(n >= if kv == KvType::Q8_0 { 16 } else { want.tokens.len() }, "{name}: {n}");
        bytes.push(memory.kv_cache);
    }
    assert_eq!((bytes[0], bytes[0] * 9), (bytes[1] * 2, bytes[2] * 32));
}

#[test]
fn a_prefix_is_reused_only_while_windows_hold_it() {
    // Sliding windows, and the columns of a convolution.
    for (model, window) in [("gemma2", 4), ("gemma3-tiny", 32), ("lfm2", 3)] {
        let path = model_file(model);
        let options = LoadOptions { context_length: Some(256), n_batch: 16, ..LoadOptions::default() };
        let load = || load_with(&path, true, &options);
        let session = load();
        let prompt: Vec<u32> = (0..40).map(|i| 270 + i).collect();
        let continued = |session: &Rc<Session>, prompt: &[u32]| {
            let ids = generate(session, prompt, greedy(20)).0;
            assert_eq!(ids, generate(&load(), prompt, greedy(20)).0, "{model}");
            (ids, session.stats().reused_tokens as usize)
        };
        let long = generate(&session, &prompt, greedy(100)).0;
        // Back by a few tokens: the ring, which has room for a batch beside the window, still holds what is needed.
        let near = [&prompt[..], &long[..92], &[5]].concat();
        assert_eq!(continued(&session, &near).1, 132, "{model}");
        // Back to where later keys lie over the window's.
        let far = [&prompt[..window + 2], &[7, 8, 9]].concat();
        let (ids, reused) = continued(&session, &far);
        assert_eq!(reused, 0, "{model}");
        // And on from there.
        let on = [&far[..], &ids[..15], &[9, 8]].concat();
        assert_eq!(continued(&session, &on).1, far.len() + 15, "{model}");
    }
}

/// What a convolution or a delta net keeps after a batch is what it keeps after the same tokens one by one.
#[test]
fn batches_of_any_size_leave_the_same_state() {
    for model in ["lfm2", "lfm2moe", "qwen35", "qwen35moe"] {
        let prompt: Vec<u32> = (0..64).map(|i| 260 + i * 11 % 60).collect();
        let run = |n_batch| {
            let options = LoadOptions {
                context_length: Some(256),
                n_batch,
                kv_type: Some(KvType::F32),
                ..LoadOptions::default()
            };
            let session = load_with(&model_file(model), true, &options);
            let model = &session.model;
            let sequence = pollster::block_on(Sequence::new(model)).unwrap();
            let read = model.gpu.readback(u64::from(N_RECENT) * 4);
            sequence.prefill(model, &prompt, &prompt, &Sampling::GREEDY, &read).unwrap();
            let mut logits = vec![pollster::block_on(model.logits()).unwrap()];
            for _ in 0..8 {
                sequence.decode(model, 1, 0, &Sampling::GREEDY, &read);
                logits.push(pollster::block_on(model.logits()).unwrap());
            }
            logits
        };
        let one_by_one = run(1);
        for n_batch in [7, 16, 64] {
            for (step, (got, want)) in run(n_batch).iter().zip(&one_by_one).enumerate() {
                let norm = |v: &mut dyn Iterator<Item = f32>| v.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
                let error = norm(&mut got.iter().zip(want).map(|(a, b)| a - b)) / norm(&mut want.iter().copied());
                assert!(error < 1e-5, "{model} in batches of {n_batch}, step {step}: {error:.1e}");
            }
        }
    }
}

#[test]
fn generations_end_as_they_should() {
    let session = load(&model_file("embedded"), true);
    let prompt = session.text.prompt_ids("It was already late when Prince");
    let (_, whole) = generate(&session, &prompt, greedy(30));
    let stop = &whole[20..26];
    let (_, cut) = generate(&session, &prompt, GenerateOptions { stop: vec![stop.to_owned()], ..greedy(30) });
    assert_eq!(cut, whole[..whole.find(stop).unwrap()]);
    assert_eq!(session.stats().finish_reason, Some(FinishReason::Stop));
    generate(&session, &prompt, greedy(3));
    assert_eq!(session.stats().finish_reason, Some(FinishReason::Length));
    assert_eq!(session.stats().generated_tokens, 3);
    // Right up to the context's end.
    let n_ctx = session.model.n_ctx();
    let long: Vec<u32> = (0..n_ctx - 2).map(|i| 300 + i % 500).collect();
    let (ids, _) = generate(&session, &long, greedy(100));
    assert_eq!(session.stats().finish_reason, Some(FinishReason::Context));
    assert_eq!(ids.len(), 3, "the last one is sampled from a full context");
    let full: Vec<u32> = (0..n_ctx + 1).map(|i| 300 + i % 500).collect();
    let generate = |prompt: &[u32], n| pollster::block_on(session.generate(0, prompt, greedy(n)));
    assert_eq!(generate(&full, 1).err().unwrap().code(), "CONTEXT_OVERFLOW");
    assert_eq!(generate(&[], 1).err().unwrap().code(), "INVALID_ARGUMENT");
    let running = generate(&prompt, 5).unwrap();
    assert_eq!(generate(&prompt, 5).err().unwrap().code(), "INVALID_STATE");
    drop(running);
    assert!(generate(&prompt, 5).is_ok());
}

#[test]
fn decode_takes_few_dispatches() {
    for (model, per_layer, beside) in [("embedded", 6, 4), ("gpt2-tiny", 6, 5), ("lfm2", 6, 4), ("qwen35", 6, 4)] {
        let session = load(&model_file(model), true);
        let n = session.info.decode_dispatches;
        let layers = session.model.config.n_layer() as usize;
        println!("{model}: {n} dispatches a decode step, {layers} layers");
        assert!(n <= per_layer * layers + beside, "{model}: {n}");
    }
}
