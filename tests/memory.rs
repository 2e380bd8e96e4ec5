//! Whether a model fits is known from its header, and a load keeps to it.

mod common;

use common::model_file;
use pollster::block_on;
use webgguf::gpu::Gpu;
use webgguf::llm::{Budget, Excess, Fit, LoadOptions, Need, Opened, Session};
use webgguf::ops::KvType;
use webgguf::source::MemorySource;

const MODELS: [&str; 10] = [
    "embedded",
    "gemma3-tiny",
    "gpt2-tiny",
    "lfm2",
    "lfm2moe",
    "llama-rope-yarn",
    "qwen35",
    "qwen35moe",
    "qwen3moe",
    "smollm3",
];

fn source(model: &str) -> MemorySource {
    MemorySource(std::fs::read(model_file(model)).expect("a model"))
}

fn with_context(n: u32) -> LoadOptions {
    LoadOptions { context_length: Some(n), ..LoadOptions::default() }
}

#[test]
fn the_largest_context_is_the_largest() {
    let mut n = 0;
    for model in MODELS {
        let source = source(model);
        let opened = block_on(Opened::read(&source, &())).unwrap();
        let (gguf, c) = (&opened.gguf, &opened.config);
        let need = |n_ctx| Need::of(gguf, c, &with_context(n_ctx)).unwrap().bytes;
        let asked = c.n_ctx_train;
        let (least, most) = (need(1), need(asked));
        for step in 0..=20 {
            let total = least.total() - 1 + (most.total() + 2 - least.total()) * step / 20;
            let buffer = least.largest_buffer - 1 + (most.largest_buffer + 2 - least.largest_buffer) * step / 20;
            for budget in [Budget { total: Some(total), buffer: u64::MAX }, Budget { total: None, buffer }] {
                let fits = |n_ctx| {
                    let bytes = need(n_ctx);
                    bytes.total() <= budget.total.unwrap_or(u64::MAX) && bytes.largest_buffer <= budget.buffer
                };
                let fit = Fit::of(gguf, c, &with_context(asked), &budget).unwrap();
                assert_eq!(fit.excess.is_none(), fits(asked), "{model} {budget:?}");
                match fit.n_ctx {
                    Some(n_ctx) => assert!(fits(n_ctx) && (n_ctx == asked || !fits(n_ctx + 1)), "{model} {budget:?}"),
                    None => assert!(!fits(1), "{model} {budget:?}"),
                }
                n += 1;
            }
        }
    }
    println!("{n} budgets");
}

#[test]
fn the_reason_has_the_numbers() {
    let source = source("embedded");
    let opened = block_on(Opened::read(&source, &())).unwrap();
    let fit = |total, n| {
        let budget = Budget { total: Some(total), buffer: 1 << 30 };
        Fit::of(&opened.gguf, &opened.config, &with_context(n), &budget).unwrap()
    };
    let all = fit(1 << 40, 256);
    assert_eq!((all.excess, all.n_ctx, all.reason()), (None, Some(256), None));
    let total = all.need.bytes.total();
    let less = fit(total - 1, 256);
    assert_eq!(less.excess, Some(Excess::Total { bytes: total, limit: total - 1 }));
    assert_eq!(less.n_ctx, Some(255));
    let reason = less.reason().unwrap();
    for part in [total.to_string(), (total - 1).to_string(), "context_length of 255 fits".into()] {
        assert!(reason.contains(&part), "{reason}");
    }
    let none = fit(1000, 256);
    assert_eq!(none.n_ctx, None);
    assert!(none.reason().unwrap().contains("no context_length fits"));
}

#[test]
fn options_that_the_model_refuses_are_errors() {
    let source = source("embedded");
    let opened = block_on(Opened::read(&source, &())).unwrap();
    let (gguf, c) = (&opened.gguf, &opened.config);
    for n in [0, c.n_ctx_train + 1, u32::MAX] {
        let error = Need::of(gguf, c, &with_context(n)).unwrap_err();
        assert_eq!(error.code(), "INVALID_ARGUMENT");
        assert!(error.to_string().contains(&c.n_ctx_train.to_string()), "{error}");
    }
    let small = LoadOptions { kv_type: Some(KvType::Q8_0), ..LoadOptions::default() };
    assert_eq!(Need::of(gguf, c, &small).is_ok(), c.head_dim.is_multiple_of(32));
}

/// What the budget counts is what the GPU's buffers take, but for what a load needs while it runs.
#[test]
fn a_load_keeps_to_its_budget() {
    for model in MODELS {
        let source = source(model);
        let load = |total| {
            let options =
                LoadOptions { context_length: Some(64), memory_budget: Some(total), ..LoadOptions::default() };
            block_on(async { Session::load_on(Gpu::new().await?, &source, &options, &()).await })
        };
        let session = load(1 << 40).unwrap();
        let need = session.model.need.bytes.total();
        let taken = session.model.gpu.allocated_bytes();
        assert_eq!(need, taken, "{model}");
        load(need).map(drop).unwrap();
        let error = load(need - 1).map(drop).unwrap_err();
        assert_eq!(error.code(), "OUT_OF_GPU_MEMORY", "{error}");
        assert!(error.to_string().contains(&format!("{need} bytes of GPU memory are needed")), "{error}");
    }
}
