//! The metadata of each architecture, key by key, as llama.cpp reads it; and weights that a file may have.
//!
//! A key is read, or the file is refused, or there is a warning: none that could change logits is passed over in silence.

mod common;
mod text;

use common::{Rng, assert_close, model_file};
use text::header;
use webgguf::error::Result;
use webgguf::formats::gguf::GgufWriter;
use webgguf::gpu::Gpu;
use webgguf::llm::{
    DenseLead, Ffn, Gate, LayerConfig, LoadOptions, Mixer, ModelConfig, Norm, RopeConfig, RopeScaling, Session, arch,
};
use webgguf::ops::{DeltaShape, Temperature};
use webgguf::source::MemorySource;

/// A metadata value.
#[derive(Debug, Clone, Copy)]
enum Value {
    U(u32),
    F(f32),
    B(bool),
    S(&'static str),
    Us(&'static [u32]),
    Is(&'static [i32]),
    Bs(&'static [bool]),
    Fs(&'static [f32]),
}
use Value::{B, Bs, F, Fs, Is, S, U, Us};

/// What becomes of a file that has the keys beside its own.
#[derive(Clone, Copy)]
enum Then {
    /// It is read as without them.
    Nothing,
    /// The same, with a warning that names the first.
    Warned,
    Refused,
    /// The configuration has this.
    Has(fn(&ModelConfig) -> bool),
}
use Then::{Has, Nothing, Refused, Warned};

type Pairs = &'static [(&'static str, Value)];

const N_LAYER: u32 = 8;

fn with(file: GgufWriter, arch: &str, pairs: &[(&str, Value)]) -> GgufWriter {
    pairs.iter().fold(file, |file, (key, value)| {
        let key = format!("{arch}.{key}");
        match *value {
            U(v) => file.u32(&key, v),
            F(v) => file.f32(&key, v),
            B(v) => file.bool(&key, v),
            S(v) => file.string(&key, v),
            Us(v) => file.u32s(&key, v),
            Is(v) => file.i32s(&key, v),
            Bs(v) => file.bools(&key, v),
            Fs(v) => file.f32s(&key, v),
        }
    })
}

/// The keys that every file of the architecture has: 8 layers, C = 64, 4 heads of 16 over 2, F = 96.
fn own_keys(arch: &str) -> Vec<(&'static str, Value)> {
    let mut keys = vec![
        ("block_count", U(N_LAYER)),
        ("context_length", U(512)),
        ("embedding_length", U(64)),
        ("attention.head_count", U(4)),
        ("feed_forward_length", U(96)),
    ];
    keys.push(match arch {
        "gpt2" => ("attention.layer_norm_epsilon", F(1e-5)),
        _ => ("attention.layer_norm_rms_epsilon", F(1e-6)),
    });
    if ["qwen3moe", "qwen35moe"].contains(&arch) {
        keys.extend([("expert_count", U(8)), ("expert_used_count", U(2))]);
    }
    if arch.starts_with("qwen35") {
        keys.extend([("full_attention_interval", U(1)), ("rope.dimension_sections", Us(&[3, 3, 2, 0]))]);
        keys.extend([("ssm.group_count", U(2)), ("ssm.time_step_rank", U(4)), ("ssm.state_size", U(32))]);
        keys.extend([("ssm.inner_size", U(128)), ("ssm.conv_kernel", U(4))]);
    }
    if arch.starts_with("lfm2") {
        keys.push(("shortconv.l_cache", U(3)));
    }
    if arch == "lfm2moe" {
        keys.extend([("expert_count", U(8)), ("expert_used_count", U(2)), ("expert_gating_func", U(2))]);
        keys.extend([("expert_feed_forward_length", U(32)), ("leading_dense_block_count", U(2))]);
    }
    keys
}

/// The configuration of a file with `pairs` in place of its own keys of these names, or beside them.
fn config(arch: &str, pairs: &[(&str, Value)]) -> Result<ModelConfig> {
    let own: Vec<_> = own_keys(arch).into_iter().filter(|(key, _)| pairs.iter().all(|(k, _)| k != key)).collect();
    let file = GgufWriter::default().string("general.architecture", arch);
    let file = with(with(file, arch, &own), arch, pairs).tensor("token_embd.weight", &[3, 64], &[0.0; 192]);
    arch::config(&header(&file.finish()))
}

/// The layers with a sliding window.
fn windows(c: &ModelConfig) -> Vec<usize> {
    (0..c.layers.len()).filter(|&l| c.layers[l].window.is_some()).collect()
}

/// The rotary embedding of a layer.
fn rope(c: &ModelConfig, layer: usize) -> &RopeConfig {
    &c.ropes[c.layers[layer].rope.expect("a rotary embedding")]
}

/// That of the layers without a window.
fn global(c: &ModelConfig) -> &RopeConfig {
    let layer = c.layers.iter().find(|l| l.window.is_none() && l.rope.is_some());
    &c.ropes[layer.and_then(|l| l.rope).expect("a layer without a window")]
}

/// Those with a rotary embedding.
const ROTARY: &str =
    "ernie4_5 exaone4 gemma gemma2 gemma3 granite lfm2 llama olmo2 phi3 qwen2 qwen3 qwen35 qwen3moe smollm3";
const ALL: &str =
    "gpt2 ernie4_5 exaone4 gemma gemma2 gemma3 granite lfm2 llama olmo2 phi3 qwen2 qwen3 qwen35 qwen3moe smollm3";
/// Those whose graphs in llama.cpp know no window.
const NO_WINDOWS: &str = "gpt2 ernie4_5 exaone4 gemma granite llama qwen2 qwen3 qwen35 qwen3moe smollm3";
/// Those whose pairs all rotate by the position.
const ONE_SECTION: &str =
    "ernie4_5 exaone4 gemma gemma2 gemma3 granite lfm2 llama olmo2 phi3 qwen2 qwen3 qwen3moe smollm3";
/// Those without layers that predict further tokens.
const NO_NEXTN: &str =
    "gpt2 ernie4_5 exaone4 gemma gemma2 gemma3 granite lfm2 llama olmo2 phi3 qwen2 qwen3 qwen3moe smollm3";

/// A row: architectures, keys, and what comes of them.
type Row = (&'static str, Pairs, Then);

/// Keys that all architectures share.
const SHARED: &[Row] = &[
    // Counts, each once or for every layer.
    (ALL, &[("attention.head_count", Us(&[8; 8]))], Has(|c| c.n_head == 8 && c.head_dim == 8)),
    (ALL, &[("attention.head_count", Is(&[8; 8]))], Has(|c| c.n_head == 8)),
    (ALL, &[("attention.head_count", Us(&[4, 4, 4, 4, 4, 4, 4, 2]))], Refused),
    (ALL, &[("attention.head_count", Us(&[4, 4]))], Refused),
    (ALL, &[("attention.head_count", Us(&[]))], Refused),
    (ALL, &[("attention.head_count", Fs(&[8.0; 8]))], Refused),
    (ALL, &[("attention.head_count_kv", U(2))], Has(|c| c.n_head_kv == 2)),
    (ALL, &[("attention.head_count_kv", Is(&[2; 8]))], Has(|c| c.n_head_kv == 2)),
    (ALL, &[("attention.head_count_kv", Us(&[2, 2, 2, 2, 2, 2, 2, 4]))], Refused),
    (ALL, &[("attention.head_count_kv", Us(&[0; 8]))], Refused),
    (
        "gpt2 exaone4 gemma gemma2 gemma3 granite llama olmo2 phi3 qwen2 qwen3 smollm3",
        &[("feed_forward_length", Us(&[128; 8]))],
        Has(|c| c.n_ff == 128),
    ),
    (ALL, &[("feed_forward_length", Us(&[96, 96, 96, 96, 96, 96, 96, 128]))], Refused),
    (ALL, &[("attention.key_length", U(32)), ("attention.value_length", U(32))], Has(|c| c.head_dim == 32)),
    (ALL, &[("attention.key_length", U(32)), ("attention.value_length", U(16))], Refused),
    // What is the same in layers with a window, and matters only there.
    (NO_WINDOWS, &[("attention.key_length_swa", U(8)), ("attention.value_length_swa", U(8))], Nothing),
    (
        "gemma3 olmo2",
        &[("attention.sliding_window", U(4)), ("attention.key_length_swa", U(16))],
        Has(|c| c.ropes.len() == 2),
    ),
    ("gemma3 olmo2", &[("attention.sliding_window", U(4)), ("attention.key_length_swa", U(8))], Refused),
    ("gemma2", &[("attention.value_length_swa", U(8))], Refused),
    ("gemma2", &[("rope.dimension_count_swa", U(8))], Refused),
    // What tokens attend to.
    (ALL, &[("attention.causal", B(true))], Nothing),
    (ALL, &[("attention.causal", B(false))], Refused),
    (ALL, &[("nextn_predict_layers", U(0))], Nothing),
    (NO_NEXTN, &[("nextn_predict_layers", U(1))], Refused),
    (NO_WINDOWS, &[("attention.sliding_window", U(0))], Nothing),
    (NO_WINDOWS, &[("attention.sliding_window", U(4))], Warned),
    ("phi3", &[("attention.sliding_window", U(4))], Warned),
    ("phi3", &[("attention.sliding_window", U(512))], Nothing),
    // Rotary embedding.
    (ROTARY, &[("rope.dimension_count", U(8))], Has(|c| rope(c, 0).n_rot == 8)),
    (ROTARY, &[("rope.freq_base", F(5e5))], Has(|c| global(c).freq_base == 5e5)),
    (ROTARY, &[("rope.freq_base", F(0.0))], Refused),
    (ROTARY, &[("rope.scaling.type", S("none")), ("rope.scaling.factor", F(4.0))], Nothing),
    (ROTARY, &[("rope.scaling.factor", F(0.0))], Nothing),
    (ROTARY, &[("rope.scaling.factor", F(4.0))], Has(|c| global(c).scaling == RopeScaling::Linear { factor: 4.0 })),
    (ROTARY, &[("rope.scale_linear", F(4.0))], Has(|c| global(c).scaling == RopeScaling::Linear { factor: 4.0 })),
    (
        ROTARY,
        &[("rope.scaling.factor", F(2.0)), ("rope.scale_linear", F(4.0))],
        Has(|c| global(c).scaling == RopeScaling::Linear { factor: 2.0 }),
    ),
    (
        ROTARY,
        &[("rope.scaling.type", S("longrope")), ("rope.scaling.factor", F(4.0))],
        Has(|c| global(c).scaling == RopeScaling::Linear { factor: 4.0 }),
    ),
    (ROTARY, &[("rope.scaling.type", S("dynamic"))], Refused),
    (ROTARY, &[("rope.scaling.type", S("yarn"))], Nothing),
    (
        ROTARY,
        &[("rope.scaling.type", S("yarn")), ("rope.scaling.factor", F(4.0))],
        Has(|c| yarn(c, 512) && c.warnings.is_empty()),
    ),
    (
        ROTARY,
        &[
            ("rope.scaling.type", S("yarn")),
            ("rope.scaling.factor", F(4.0)),
            ("rope.scaling.original_context_length", U(128)),
            // As they are by themselves: 1.1386 is 1 + ln(4) / 10.
            ("rope.scaling.yarn_beta_fast", F(32.0)),
            ("rope.scaling.yarn_beta_slow", F(1.0)),
            ("rope.scaling.yarn_attn_factor", F(1.138_629_4)),
            ("rope.scaling.yarn_ext_factor", F(1.0)),
            ("rope.scaling.yarn_log_multiplier", F(0.0)),
        ],
        Has(|c| yarn(c, 128) && c.n_ctx_orig == 128 && c.warnings.is_empty()),
    ),
    (
        ROTARY,
        &[("rope.scaling.yarn_beta_fast", F(16.0)), ("rope.scaling.type", S("yarn")), ("rope.scaling.factor", F(4.0))],
        // Read by llama.cpp in other architectures only.
        Has(|c| yarn(c, 512) && c.warnings.len() == 1 && c.warnings[0].contains("yarn_beta_fast' is 16")),
    ),
    (ROTARY, &[("rope.scaling.yarn_log_multiplier", F(0.1))], Warned),
    (ROTARY, &[("rope.scaling.yarn_ext_factor", F(0.5))], Warned),
    (ROTARY, &[("rope.scaling.yarn_attn_factor", F(0.7))], Warned),
    (ROTARY, &[("rope.scaling.original_context_length", U(0))], Nothing),
    (ROTARY, &[("rope.scaling.attn_factor", F(1.19))], Has(|c| global(c).magnitude == 1.19)),
    (ONE_SECTION, &[("rope.dimension_sections", Is(&[0; 4]))], Nothing),
    (ONE_SECTION, &[("rope.dimension_sections", Is(&[4, 2, 2, 0]))], Warned),
    ("gpt2", &[("rope.freq_base", F(5e5)), ("rope.dimension_count", U(5))], Nothing),
    // Not read by llama.cpp in these architectures, although it would matter.
    (ALL, &[("attention.clamp_kqv", F(8.0))], Warned),
    (ALL, &[("attention.max_alibi_bias", F(8.0))], Warned),
    (ALL, &[("use_parallel_residual", B(true))], Warned),
    (ALL, &[("a.key.of.tomorrow", U(1))], Warned),
    (
        "gpt2 exaone4 gemma gemma2 gemma3 llama olmo2 phi3 qwen2 qwen3 qwen3moe smollm3",
        &[("logit_scale", F(2.0))],
        Warned,
    ),
    (
        "gpt2 exaone4 gemma gemma2 gemma3 llama olmo2 phi3 qwen2 qwen3 qwen3moe smollm3",
        &[("attention.scale", F(2.0))],
        Warned,
    ),
    (
        "gpt2 exaone4 granite llama olmo2 phi3 qwen2 qwen3 qwen3moe smollm3",
        &[("final_logit_softcapping", F(9.0))],
        Warned,
    ),
    ("gemma gemma3", &[("attn_logit_softcapping", F(9.0))], Warned),
    // What llama.cpp writes into every file that it saves.
    (
        ALL,
        &[
            ("activation.situ_beta", F(1.0)),
            ("attention.indexer.kpool_select_tail", B(true)),
            ("attention.rope_pattern", Us(&[1; 8])),
            ("decoder_start_token_id", U(u32::MAX)),
            ("expert_group_scale", F(0.05)),
            ("kda.gate_lower_bound", F(f32::NEG_INFINITY)),
            ("router_logit_softcapping", F(30.0)),
            ("swiglu_clamp_exp", Is(&[0; 8])),
        ],
        Nothing,
    ),
    // Off, or of no account.
    (ALL, &[("attention.clamp_kqv", F(0.0)), ("use_parallel_residual", B(false)), ("logit_scale", F(0.0))], Nothing),
    (ALL, &[("vocab_size", U(99)), ("pooling_type", U(3)), ("tensor_data_layout", S("Meta AI original pth"))], Nothing),
];

/// Keys of some architectures.
const OWN: &[Row] = &[
    ("llama granite", &[("expert_count", U(0)), ("expert_used_count", U(0))], Nothing),
    ("llama granite", &[("expert_count", U(8)), ("expert_used_count", U(2))], Refused),
    ("gpt2 exaone4 gemma gemma2 gemma3 olmo2 phi3 qwen2 qwen3 smollm3", &[("expert_count", U(8))], Warned),
    // Granite.
    ("granite", &[("embedding_scale", F(12.0))], Has(|c| c.embedding_scale == 12.0)),
    ("granite", &[("attention.scale", F(0.0625))], Has(|c| c.attention_scale == 0.0625)),
    ("granite", &[("residual_scale", F(0.25))], Has(|c| c.residual_scale == 0.25)),
    ("granite", &[("logit_scale", F(8.0))], Has(|c| c.logit_scale == 0.125)),
    ("granite", &[("rope.scaling.finetuned", B(true))], Nothing),
    ("granite", &[("rope.scaling.finetuned", B(false))], Has(|c| c.layers.iter().all(|l| l.rope.is_none()))),
    ("granite", &[("deepstack_mapping", Is(&[-1, 0, -1, 1, -1, -1, -1, -1]))], Nothing),
    ("llama olmo2 qwen2", &[("rope.scaling.finetuned", B(false))], Nothing),
    // SmolLM3: every fourth layer is without positions.
    ("smollm3", &[], Has(|c| (0..8).all(|l| c.layers[l].rope.is_none() == (l % 4 == 3)))),
    // Gemma 2: a window in every other layer.
    ("gemma2", &[], Has(|c| windows(c) == [0, 2, 4, 6] && c.layers[0].window == Some(4096))),
    ("gemma2", &[], Has(|c| c.attention_softcap == Some(50.0) && c.logit_softcap == Some(30.0))),
    ("gemma2 gemma3", &[("attention.scale", F(0.25))], Nothing),
    ("gemma2", &[("attention.sliding_window", U(7))], Has(|c| c.layers[0].window == Some(7))),
    ("gemma2", &[("attention.sliding_window", U(0))], Refused),
    ("gemma2", &[("attention.sliding_window_pattern", U(4))], Has(|c| windows(c) == [0, 1, 2, 4, 5, 6])),
    ("gemma2", &[("rope.freq_base_swa", F(5e3))], Has(|c| rope(c, 0).freq_base == 5e3 && rope(c, 1).freq_base == 1e4)),
    ("gemma2", &[("rope.freq_base", F(5e3))], Has(|c| rope(c, 0).freq_base == 5e3 && rope(c, 1).freq_base == 5e3)),
    ("gemma2", &[("rope.scaling.factor", F(8.0))], Has(|c| rope(c, 0).scaling == RopeScaling::Linear { factor: 8.0 })),
    ("gemma2", &[("attn_logit_softcapping", F(9.0))], Has(|c| c.attention_softcap == Some(9.0))),
    ("gemma2", &[("final_logit_softcapping", F(9.0))], Has(|c| c.logit_softcap == Some(9.0))),
    // Gemma 3: in five of six layers, which have a base of their own and no scaling.
    ("gemma3", &[], Has(|c| windows(c).is_empty() && c.logit_softcap.is_none())),
    ("gemma3", &[("attention.sliding_window", U(0))], Has(|c| windows(c).is_empty())),
    ("gemma3", &[("attention.sliding_window", U(9))], Has(|c| windows(c) == [0, 1, 2, 3, 4, 6, 7])),
    (
        "gemma3",
        &[("attention.sliding_window", U(9)), ("rope.freq_base", F(1e6)), ("rope.scaling.factor", F(8.0))],
        Has(|c| {
            let (local, global) = (rope(c, 0), rope(c, 5));
            local.freq_base == 1e4
                && local.scaling == RopeScaling::None
                && global.freq_base == 1e6
                && global.scaling == RopeScaling::Linear { factor: 8.0 }
        }),
    ),
    (
        "gemma3",
        &[("attention.sliding_window", U(9)), ("rope.freq_base_swa", F(2e4))],
        Has(|c| rope(c, 0).freq_base == 2e4 && rope(c, 5).freq_base == 1e4),
    ),
    ("gemma3", &[("final_logit_softcapping", F(30.0))], Has(|c| c.logit_softcap == Some(30.0))),
    // EXAONE 4 32B: in three of four layers, which alone have a rotary embedding.
    (
        "exaone4",
        &[("block_count", U(64))],
        Has(|c| {
            let has_rope = |l: usize| c.layers[l].rope.is_some();
            (0..64).all(|l| has_rope(l) == (l % 4 < 3) && c.layers[l].window == has_rope(l).then_some(4096))
        }),
    ),
    ("exaone4", &[("block_count", U(64)), ("attention.sliding_window", U(9))], Has(|c| c.layers[0].window == Some(9))),
    // OLMo 3: in three of four layers, which are not scaled.
    ("olmo2", &[("attention.sliding_window", U(0))], Nothing),
    ("olmo2", &[("attention.sliding_window", U(9))], Has(|c| windows(c) == [0, 1, 2, 4, 5, 6])),
    (
        "olmo2",
        &[
            ("attention.sliding_window", U(9)),
            ("rope.freq_base", F(5e5)),
            ("rope.scaling.type", S("yarn")),
            ("rope.scaling.factor", F(4.0)),
            ("rope.scaling.attn_factor", F(1.5)),
        ],
        Has(|c| {
            let local = rope(c, 0);
            local.freq_base == 5e5
                && local.scaling == RopeScaling::None
                && local.magnitude == 1.0
                && rope(c, 3).magnitude == 1.5
                && yarn(c, 512)
        }),
    ),
    (
        "olmo2",
        &[("rope.freq_base_swa", F(2e4)), ("attention.sliding_window", U(9))],
        // Read by llama.cpp, and not used.
        Has(|c| rope(c, 0).freq_base == 1e4 && c.warnings.len() == 1 && c.warnings[0].contains("freq_base_swa")),
    ),
    // The pattern, in all its forms.
    (
        "gemma3 olmo2",
        &[
            ("attention.sliding_window", U(9)),
            ("attention.sliding_window_pattern", Bs(&[true, true, false, true, false, false, true, true])),
        ],
        Has(|c| windows(c) == [0, 1, 3, 6, 7]),
    ),
    (
        "gemma2 gemma3 olmo2",
        &[("attention.sliding_window", U(9)), ("attention.sliding_window_pattern", Us(&[0, 1, 0, 0, 0, 0, 0, 2]))],
        Has(|c| windows(c) == [1, 7]),
    ),
    (
        "gemma2 gemma3 olmo2",
        &[("attention.sliding_window", U(9)), ("attention.sliding_window_pattern", Bs(&[true]))],
        Has(|c| windows(c) == [0]),
    ),
    (
        "gemma2 gemma3 olmo2",
        &[("attention.sliding_window", U(9)), ("attention.sliding_window_pattern", U(3))],
        Has(|c| windows(c) == [0, 1, 3, 4, 6, 7]),
    ),
    (
        "gemma2 gemma3 olmo2",
        &[("attention.sliding_window", U(9)), ("attention.sliding_window_pattern", U(1))],
        Has(|c| windows(c).is_empty()),
    ),
    (
        "gemma2 gemma3 olmo2",
        &[("attention.sliding_window", U(9)), ("attention.sliding_window_pattern", U(0))],
        Has(|c| windows(c).len() == 8),
    ),
    (
        "gemma2 gemma3 olmo2",
        &[("attention.sliding_window", U(9)), ("attention.sliding_window_pattern", S("all"))],
        Refused,
    ),
    ("llama qwen2", &[("attention.sliding_window_pattern", U(4))], Nothing),
    // Experts.
    ("qwen3moe", &[], Has(|c| c.n_ff == 48 && c.ffn == Ffn::Experts { n_expert: 8, n_used: 2, gate: Gate::Softmax })),
    ("qwen3moe", &[("expert_feed_forward_length", U(32))], Has(|c| c.n_ff == 32)),
    ("qwen3moe", &[("expert_feed_forward_length", Us(&[32; 8]))], Has(|c| c.n_ff == 32)),
    ("qwen3moe", &[("expert_feed_forward_length", Us(&[32, 32, 32, 32, 32, 32, 32, 16]))], Refused),
    (
        "qwen3moe",
        &[("expert_used_count", Us(&[4; 8]))],
        Has(|c| c.ffn == Ffn::Experts { n_expert: 8, n_used: 4, gate: Gate::Softmax }),
    ),
    ("qwen3moe", &[("expert_used_count", Us(&[4, 4, 4, 4, 2, 2, 2, 2]))], Refused),
    ("qwen3moe", &[("expert_weights_norm", B(true)), ("expert_gating_func", U(1))], Nothing),
    ("qwen3moe", &[("expert_weights_norm", B(false))], Warned),
    ("qwen3moe", &[("expert_weights_scale", F(1.0))], Nothing),
    ("qwen3moe", &[("expert_weights_scale", F(2.5))], Warned),
    ("qwen3moe", &[("expert_gating_func", U(2))], Warned),
    ("qwen3moe", &[("expert_group_count", U(1)), ("expert_group_used_count", U(1))], Has(|c| c.n_ff == 48)),
    ("qwen3moe", &[("expert_group_count", U(4)), ("expert_group_used_count", U(2))], Refused),
    ("qwen3moe", &[("leading_dense_block_count", U(0)), ("expert_shared_count", U(0))], Nothing),
    ("qwen3moe", &[("leading_dense_block_count", U(1))], Warned),
    ("qwen3moe", &[("expert_shared_count", U(1))], Warned),
    // Short convolutions, where layers have no heads.
    (
        "lfm2 lfm2moe",
        &[("attention.head_count_kv", Us(&[0, 0, 2, 0, 2, 0, 0, 2]))],
        Has(|c| {
            let conv = |l: &LayerConfig| l.mixer == Mixer::ShortConv { kernel: 3 } && l.rope.is_none();
            let attention = |l: &LayerConfig| l.mixer == Mixer::Attention && l.rope == Some(0);
            let right = |(l, layer)| if [2, 4, 7].contains(&l) { attention(layer) } else { conv(layer) };
            c.n_head_kv == 2 && c.layers.iter().enumerate().all(right)
        }),
    ),
    ("lfm2", &[("attention.head_count_kv", Us(&[0, 0, 2, 0, 4, 0, 0, 2]))], Refused),
    ("llama qwen3", &[("attention.head_count_kv", Us(&[2, 2, 2, 0, 2, 2, 2, 2]))], Refused),
    ("lfm2", &[("shortconv.l_cache", U(1))], Refused),
    ("lfm2", &[("shortconv.l_cache", U(65))], Refused),
    ("lfm2", &[("attention.sliding_window", U(9))], Has(|c| windows(c).len() == 8)),
    ("lfm2moe", &[("attention.sliding_window", U(9))], Warned),
    (
        "lfm2moe",
        &[],
        Has(|c| {
            c.ffn == Ffn::Experts { n_expert: 8, n_used: 2, gate: Gate::Sigmoid }
                && c.n_ff == 32
                && c.dense_lead == DenseLead { n_layer: 2, n_ff: 96 }
        }),
    ),
    ("lfm2moe", &[("leading_dense_block_count", U(0))], Has(|c| c.dense_lead == DenseLead::default())),
    ("lfm2moe", &[("expert_gating_func", U(1))], Refused),
    ("lfm2moe", &[("expert_weights_scale", F(2.5))], Warned),
    // Gated delta nets, but in each fourth layer or where an array says so; layers that predict further tokens.
    (
        "qwen35",
        &[("full_attention_interval", U(4))],
        Has(|c| {
            let shape = DeltaShape { n_k: 2, n_v: 4, head_dim: 32, kernel: 4 };
            let net = |l: &LayerConfig| l.mixer == Mixer::DeltaNet(shape) && l.rope.is_none();
            c.gated_attention && c.layers.iter().enumerate().all(|(l, layer)| net(layer) == (l % 4 != 3))
        }),
    ),
    (
        "qwen35",
        &[("attention.recurrent_layers", Bs(&[true, false, true, true, true, true, true, true]))],
        Has(|c| c.layers.iter().filter(|l| l.mixer == Mixer::Attention).count() == 1),
    ),
    ("qwen35", &[("attention.recurrent_layers", Bs(&[true, false]))], Refused),
    (
        "qwen35moe",
        &[("expert_feed_forward_length", U(32)), ("expert_shared_feed_forward_length", U(48))],
        Has(|c| c.n_ff == 32 && c.n_ff_shared == 48 && c.gated_attention),
    ),
    ("qwen35moe", &[], Has(|c| c.n_ff == 48 && c.n_ff_shared == 96)),
    ("qwen35", &[("full_attention_interval", U(0))], Refused),
    ("qwen35", &[("nextn_predict_layers", U(1))], Has(|c| c.n_layer() == 7 && c.n_nextn == 1)),
    ("qwen35", &[("nextn_predict_layers", U(8))], Refused),
    ("qwen35", &[("ssm.inner_size", U(64))], Refused),
    ("qwen35", &[("ssm.group_count", U(3))], Refused),
    ("qwen35", &[("ssm.state_size", U(24)), ("ssm.inner_size", U(96))], Refused),
    ("qwen35", &[("ssm.state_size", U(144)), ("ssm.inner_size", U(576))], Refused),
    ("qwen35", &[("ssm.conv_kernel", U(1))], Refused),
    ("qwen35", &[("ssm.conv_kernel", U(65))], Refused),
    ("qwen35", &[("rope.dimension_sections", Us(&[8, 0, 0, 0]))], Refused),
    ("qwen35", &[("rope.dimension_sections", Us(&[0, 0, 0, 0]))], Refused),
    ("qwen35", &[("rope.dimension_sections", U(8))], Refused),
    ("qwen35", &[("rope.dimension_sections", Us(&[11, 11, 10, 0]))], Has(|c| c.warnings.is_empty())),
    // Queries that grow with the position; YaRN of the file.
    ("mistral3", &[], Has(|c| c.temperature.is_none())),
    (
        "mistral3",
        &[("attention.temperature_scale", F(0.5)), ("rope.scaling.original_context_length", U(64))],
        Has(|c| c.temperature == Some(Temperature { scale: 0.5, n_ctx_orig: 64 })),
    ),
    (
        "mistral3",
        &[
            ("rope.scaling.type", S("yarn")),
            ("rope.scaling.factor", F(4.0)),
            ("rope.scaling.yarn_beta_fast", F(8.0)),
            ("rope.scaling.yarn_log_multiplier", F(1.0)),
        ],
        Has(|c| {
            let growth = 1.0 + 0.1 * 4f32.ln();
            global(c).scaling == RopeScaling::Yarn { factor: 4.0, n_ctx_orig: 512, beta_fast: 8.0, beta_slow: 1.0 }
                && (global(c).magnitude * growth - 1.0).abs() < 1e-6
                && c.warnings.is_empty()
        }),
    ),
    ("mistral3", &[("rope.scaling.yarn_log_multiplier", F(-1.0))], Refused),
    ("llama", &[("rope.scaling.yarn_log_multiplier", F(1.0))], Warned),
    // A base for longer contexts; norms after the rotation.
    (
        "hunyuan-dense",
        &[("rope.scaling.alpha", F(1000.0))],
        Has(|c| (global(c).freq_base / (10_000.0 * 1000f32.powf(16.0 / 14.0)) - 1.0).abs() < 1e-6),
    ),
    ("hunyuan-dense", &[("rope.scaling.type", S("yarn")), ("rope.scaling.factor", F(4.0))], Refused),
    // Norms.
    ("gpt2", &[("attention.layer_norm_rms_epsilon", F(1e-3))], Has(|c| c.norm == Norm::Layer { eps: 1e-5 })),
    ("llama", &[("attention.layer_norm_epsilon", F(1e-3))], Has(|c| c.norm == Norm::Rms { eps: 1e-6 })),
];

/// Whether layers without a window have YaRN with a factor of 4.
fn yarn(c: &ModelConfig, n_ctx_orig: u32) -> bool {
    global(c).scaling == RopeScaling::Yarn { factor: 4.0, n_ctx_orig, beta_fast: 32.0, beta_slow: 1.0 }
}

#[test]
fn every_key_is_read_refused_or_warned_of() {
    let mut failed = Vec::new();
    for (archs, pairs, then) in SHARED.iter().chain(OWN) {
        for arch in archs.split(' ') {
            let (plain, got) = (config(arch, &[]).unwrap(), config(arch, pairs));
            assert_eq!(plain.warnings, [""; 0], "{arch}");
            let right = match (*then, &got) {
                (Refused, Err(e)) => {
                    let message = e.to_string();
                    assert!(["MALFORMED_GGUF", "UNSUPPORTED_ARCHITECTURE"].contains(&e.code()), "{e:?}");
                    !message.contains("internal")
                }
                (Nothing, Ok(c)) => *c == plain,
                (Warned, Ok(c)) => {
                    let name = format!("'{arch}.{}'", pairs[0].0);
                    c.warnings.len() == 1
                        && c.warnings[0].contains(&name)
                        && ModelConfig { warnings: Vec::new(), ..c.clone() } == plain
                }
                (Has(has), Ok(c)) => has(c),
                _ => false,
            };
            if !right {
                failed.push(format!("{arch} with {pairs:?}: {got:?}"));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn refusals_name_the_key_the_values_and_what_is_allowed() {
    let message = |arch: &str, pairs: &[(&str, Value)]| config(arch, pairs).unwrap_err().to_string();
    assert_eq!(
        message("llama", &[("attention.head_count_kv", Us(&[2, 2, 2, 4, 2, 1, 2, 2]))]),
        "metadata 'llama.attention.head_count_kv' is 2 in layer 0 and 4 in layer 3; only one value for all is supported"
    );
    assert_eq!(
        message("qwen2", &[("feed_forward_length", Us(&[96; 7]))]),
        "metadata 'qwen2.feed_forward_length' has 7 values, one for each of 8 layers is needed"
    );
    assert_eq!(
        message("qwen3", &[("nextn_predict_layers", U(2))]),
        "metadata 'qwen3.nextn_predict_layers' is 2; only 0 is supported"
    );
}

#[test]
fn a_mixture_needs_no_width_beside_that_of_its_experts() {
    let file = GgufWriter::default().string("general.architecture", "qwen3moe");
    let keys: Vec<_> = own_keys("qwen3moe").into_iter().filter(|(key, _)| *key != "feed_forward_length").collect();
    let file = with(file, "qwen3moe", &keys).tensor("token_embd.weight", &[3, 64], &[0.0; 192]);
    let none = arch::config(&header(&file.clone().finish())).unwrap_err();
    assert_eq!(none.to_string(), "metadata 'qwen3moe.feed_forward_length' is missing");
    let file = with(file, "qwen3moe", &[("expert_feed_forward_length", U(32))]);
    assert_eq!(arch::config(&header(&file.finish())).unwrap().n_ff, 32);
}

/// A name is for showing; what is not UTF-8 in it keeps no model from running.
#[test]
fn a_name_need_not_be_utf8() {
    let mut file = std::fs::read(model_file("llama-untied")).unwrap();
    let name = b"random llama-untied";
    let at = file.windows(name.len()).position(|w| w == name).unwrap();
    file[at + 6] = 0xff;
    pollster::block_on(async {
        let source = MemorySource(file);
        let session = Session::load_on(Gpu::new().await.unwrap(), &source, &LoadOptions::default(), &()).await.unwrap();
        assert_eq!(session.info.name.as_deref(), Some("random\u{fffd}llama-untied"));
        assert_eq!(session.info.warnings, [""; 0]);
    });
}

/// One layer of llama: C = 32, 2 heads of 16 over 1, F = 64, V = 3, with weights that depend on their names alone.
struct Tiny(GgufWriter);

impl Tiny {
    fn new(pairs: &[(&str, Value)]) -> Self {
        let keys = [
            ("block_count", U(1)),
            ("context_length", U(64)),
            ("embedding_length", U(32)),
            ("attention.head_count", U(2)),
            ("attention.head_count_kv", U(1)),
            ("feed_forward_length", U(64)),
            ("attention.layer_norm_rms_epsilon", F(1e-6)),
        ];
        let file = GgufWriter::default()
            .string("general.architecture", "llama")
            .string("tokenizer.ggml.model", "gpt2")
            .string("tokenizer.ggml.pre", "gpt-2")
            .strings("tokenizer.ggml.tokens", &["a", "b", "c"])
            .strings("tokenizer.ggml.merges", &[""; 0]);
        Tiny(with(with(file, "llama", &keys), "llama", pairs))
            .tensors(&["token_embd.weight"], &[3, 32])
            .tensors(&["output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight"], &[32])
            .tensors(&["blk.0.attn_output.weight"], &[32, 32])
            .tensors(&["blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"], &[64, 32])
            .tensors(&["blk.0.ffn_down.weight"], &[32, 64])
    }

    /// A tensor of the values of these, one below the other.
    fn stacked(self, name: &str, parts: &[(&str, u32)], cols: Option<u32>) -> Self {
        let values: Vec<f32> = parts.iter().flat_map(|(part, rows)| values(part, rows * cols.unwrap_or(1))).collect();
        let rows = parts.iter().map(|part| part.1).sum();
        let shape: Vec<u32> = [Some(rows), cols].into_iter().flatten().collect();
        Tiny(self.0.tensor(name, &shape, &values))
    }

    fn tensors(self, names: &[&str], shape: &[u32]) -> Self {
        names.iter().fold(self, |tiny, name| tiny.stacked(name, &[(name, shape[0])], shape.get(1).copied()))
    }

    fn logits(self) -> Result<Vec<f32>> {
        pollster::block_on(async {
            let source = MemorySource(self.0.finish());
            let options = LoadOptions { context_length: Some(64), ..LoadOptions::default() };
            let session = Session::load_on(Gpu::new().await.unwrap(), &source, &options, &()).await?;
            let steps = session.capture(&[0, 1, 2, 1], 1).await?;
            Ok(steps.iter().flat_map(|s| s.iter().find(|a| a.name == "result_output").unwrap().data.clone()).collect())
        })
    }
}

fn values(name: &str, n: u32) -> Vec<f32> {
    let seed = name.bytes().fold(7, |h: u64, b| h.wrapping_mul(31).wrapping_add(b.into()));
    Rng(seed).vec(n as usize, if name.ends_with("bias") { 0.5 } else { 0.3 })
}

const Q: &str = "blk.0.attn_q";
const K: &str = "blk.0.attn_k";
const V: &str = "blk.0.attn_v";

/// Biases of q, k and v: of some of them, and beside weights that are one tensor.
#[test]
fn biases_of_queries_keys_and_values_may_be_there_each_by_itself() {
    let apart = || {
        Tiny::new(&[])
            .tensors(&["blk.0.attn_q.weight"], &[32, 32])
            .tensors(&["blk.0.attn_k.weight", "blk.0.attn_v.weight"], &[16, 32])
    };
    let fused = || {
        let parts = [(format!("{Q}.weight"), 32), (format!("{K}.weight"), 16), (format!("{V}.weight"), 16)];
        let parts: Vec<(&str, u32)> = parts.iter().map(|(name, rows)| (name.as_str(), *rows)).collect();
        Tiny::new(&[]).stacked("blk.0.attn_qkv.weight", &parts, Some(32))
    };
    let same = |got: Tiny, want: Tiny, what: &str| {
        let want: Vec<f64> = want.logits().unwrap().into_iter().map(Into::into).collect();
        assert_close(&got.logits().unwrap(), &want, 1e-5, what);
    };
    let qkv_bias =
        |t: Tiny| t.tensors(&["blk.0.attn_q.bias"], &[32]).tensors(&["blk.0.attn_k.bias", "blk.0.attn_v.bias"], &[16]);
    same(qkv_bias(fused()), qkv_bias(apart()), "biases apart");
    let one = [("blk.0.attn_q.bias", 32), ("blk.0.attn_k.bias", 16), ("blk.0.attn_v.bias", 16)];
    same(fused().stacked("blk.0.attn_qkv.bias", &one, None), qkv_bias(apart()), "biases in one");
    let plain: Vec<f32> = apart().logits().unwrap();
    for bias in ["blk.0.attn_q.bias", "blk.0.attn_v.bias"] {
        let rows = if bias.contains("_q") { 32 } else { 16 };
        let got = apart().tensors(&[bias], &[rows]).logits().unwrap();
        assert!(got.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 1e-3), "{bias} changes logits");
    }
}

/// What would change logits and has no place in the model is refused.
#[test]
fn tensors_that_have_no_place_are_refused() {
    for (name, len) in [
        ("blk.0.ffn_norm.bias", 32),
        ("blk.0.attn_q_norm.weight", 16),
        ("blk.0.ffn_gate.scale", 1),
        ("blk.1.ffn_gate.bias", 64),
        ("cls.output.weight", 32),
    ] {
        let model = Tiny::new(&[])
            .tensors(&["blk.0.attn_q.weight"], &[32, 32])
            .tensors(&["blk.0.attn_k.weight", "blk.0.attn_v.weight"], &[16, 32]);
        let error = model.tensors(&[name], &[len]).logits().unwrap_err();
        assert_eq!(error.code(), "UNSUPPORTED_ARCHITECTURE");
        assert!(error.to_string().contains(name), "{error}");
    }
}
