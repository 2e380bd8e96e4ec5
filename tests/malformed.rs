//! Malformed files, made by class: each ends in an error with its code, never in a panic, and takes little memory on the
//! way there, whatever it claims.

#[path = "common/counting.rs"]
mod counting;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use counting::peak_bytes;
use pollster::block_on;
use webgguf::error::Result;
use webgguf::gpu::Gpu;
use webgguf::llm::{Budget, Fit, LoadOptions, Opened, Session};
use webgguf::source::{ByteSource, MemorySource, Sink};

/// Host memory that a malformed file may take.
const MAX_PEAK_BYTES: usize = 64 << 20;

/// One test at a time: they share the counters.
static TURN: Mutex<()> = Mutex::new(());

const MALFORMED: &str = "MALFORMED_GGUF";
const ARCHITECTURE: &str = "UNSUPPORTED_ARCHITECTURE";
const TENSOR_TYPE: &str = "UNSUPPORTED_TENSOR_TYPE";
const TOKENIZER: &str = "UNSUPPORTED_TOKENIZER";

/// A metadata value: its type in the file and its bytes.
type Value = (u32, Vec<u8>);

fn u32v(v: u32) -> Value {
    (4, v.to_le_bytes().into())
}

fn i32v(v: i32) -> Value {
    (5, v.to_le_bytes().into())
}

fn f32v(v: f32) -> Value {
    (6, v.to_le_bytes().into())
}

fn bool_v(v: bool) -> Value {
    (7, vec![v.into()])
}

fn sized(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text].concat()
}

fn text(v: &str) -> Value {
    (8, sized(v.as_bytes()))
}

fn array(ty: u32, len: u64, elements: &[u8]) -> Value {
    (9, [&ty.to_le_bytes(), &len.to_le_bytes()[..], elements].concat())
}

fn texts<T: AsRef<[u8]>>(v: &[T]) -> Value {
    array(8, v.len() as u64, &v.iter().flat_map(|t| sized(t.as_ref())).collect::<Vec<_>>())
}

fn i32s(v: &[i32]) -> Value {
    array(5, v.len() as u64, &v.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>())
}

fn f32s(v: &[f32]) -> Value {
    array(6, v.len() as u64, &v.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>())
}

fn f64v(v: f64) -> Value {
    (12, v.to_le_bytes().into())
}

#[derive(Clone)]
struct Tensor {
    name: Vec<u8>,
    /// Innermost first, as in the file.
    dims: Vec<u64>,
    n_dims: u32,
    ty: u32,
    offset: u64,
}

/// A file in the making. What is not set apart is true of the rest.
#[derive(Clone)]
struct File {
    magic: [u8; 4],
    version: u32,
    n_tensors: u64,
    n_pairs: u64,
    pairs: Vec<(Vec<u8>, Value)>,
    tensors: Vec<Tensor>,
    data: Vec<u8>,
}

const N_VOCAB: u64 = 9;
const VOCAB: [&str; N_VOCAB as usize] = ["<unk>", "<s>", "</s>", "a", "b", "ab", "c", "Ġ", "<0x0A>"];

/// A llama model of one layer, C = 64, H = 4, KvH = 2, D = 16, F = 96. `arch` reads the same keys.
fn sound(arch: &str) -> File {
    let mut file = File {
        magic: *b"GGUF",
        version: 3,
        n_tensors: 0,
        n_pairs: 0,
        pairs: Vec::new(),
        tensors: Vec::new(),
        data: Vec::new(),
    };
    let key = |name: &str| format!("{arch}.{name}");
    file = file
        .with("general.architecture", text(arch))
        .with(&key("block_count"), u32v(1))
        .with(&key("context_length"), u32v(128))
        .with(&key("embedding_length"), u32v(64))
        .with(&key("feed_forward_length"), u32v(96))
        .with(&key("attention.head_count"), u32v(4))
        .with(&key("attention.head_count_kv"), u32v(2))
        .with(&key("attention.layer_norm_rms_epsilon"), f32v(1e-5))
        .with("tokenizer.ggml.model", text("gpt2"))
        .with("tokenizer.ggml.pre", text("gpt-2"))
        .with("tokenizer.ggml.tokens", texts(&VOCAB))
        .with("tokenizer.ggml.merges", texts(&["a b"]));
    for (name, dims) in [
        ("token_embd", &[64, N_VOCAB][..]),
        ("output_norm", &[64]),
        ("blk.0.attn_norm", &[64]),
        ("blk.0.attn_q", &[64, 64]),
        ("blk.0.attn_k", &[64, 32]),
        ("blk.0.attn_v", &[64, 32]),
        ("blk.0.attn_output", &[64, 64]),
        ("blk.0.ffn_norm", &[64]),
        ("blk.0.ffn_gate", &[64, 96]),
        ("blk.0.ffn_up", &[64, 96]),
        ("blk.0.ffn_down", &[96, 64]),
    ] {
        file = file.tensor(&format!("{name}.weight"), dims);
    }
    if arch == "gemma3" {
        file = file.tensor("blk.0.attn_q_norm.weight", &[16]).tensor("blk.0.attn_k_norm.weight", &[16]);
    }
    file
}

impl File {
    /// The key set to the value, in place or at the end.
    fn with(mut self, key: &str, value: Value) -> File {
        match self.pairs.iter_mut().find(|(k, _)| k == key.as_bytes()) {
            Some((_, v)) => *v = value,
            None => self = self.again(key.as_bytes(), value),
        }
        self
    }

    fn again(mut self, key: &[u8], value: Value) -> File {
        self.pairs.push((key.to_vec(), value));
        self.n_pairs += 1;
        self
    }

    fn without(mut self, key: &str) -> File {
        self.pairs.retain(|(k, _)| k != key.as_bytes());
        self.n_pairs = self.pairs.len() as u64;
        self
    }

    /// An F32 tensor of ones behind the others.
    fn tensor(mut self, name: &str, dims: &[u64]) -> File {
        let (offset, n) = (self.data.len() as u64, dims.iter().product::<u64>());
        self.tensors.push(Tensor { name: name.into(), dims: dims.to_vec(), n_dims: dims.len() as u32, ty: 0, offset });
        self.data.extend((0..n).flat_map(|_| 1f32.to_le_bytes()));
        self.data.resize(self.data.len().next_multiple_of(32), 0);
        self.n_tensors += 1;
        self
    }

    fn without_tensor(mut self, name: &str) -> File {
        self.tensors.retain(|t| t.name != name.as_bytes());
        self.n_tensors = self.tensors.len() as u64;
        self
    }

    fn change(mut self, name: &str, change: impl Fn(&mut Tensor)) -> File {
        change(self.tensors.iter_mut().find(|t| t.name == name.as_bytes()).expect("a tensor"));
        self
    }

    fn edit(mut self, change: impl Fn(&mut File)) -> File {
        change(&mut self);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes_and_fields().0
    }

    /// The file, and where each field of its header ends.
    fn bytes_and_fields(&self) -> (Vec<u8>, Vec<usize>) {
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        let mut put = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            ends.push(out.len());
        };
        put(&self.magic);
        put(&self.version.to_le_bytes());
        put(&self.n_tensors.to_le_bytes());
        put(&self.n_pairs.to_le_bytes());
        for (key, (ty, value)) in &self.pairs {
            put(&(key.len() as u64).to_le_bytes());
            put(key);
            put(&ty.to_le_bytes());
            put(value);
        }
        for t in &self.tensors {
            put(&(t.name.len() as u64).to_le_bytes());
            put(&t.name);
            put(&t.n_dims.to_le_bytes());
            t.dims.iter().for_each(|d| put(&d.to_le_bytes()));
            put(&t.ty.to_le_bytes());
            put(&t.offset.to_le_bytes());
        }
        let header = out.len().next_multiple_of(32);
        out.resize(header, 0);
        out.extend_from_slice(&self.data);
        (out, ends)
    }
}

/// Malformed files by class, with the codes that each may end in.
#[derive(Default)]
struct Cases(Vec<(&'static str, String, Vec<u8>, &'static [&'static str])>);

impl Cases {
    fn bytes(&mut self, class: &'static str, name: impl ToString, bytes: Vec<u8>, codes: &'static [&'static str]) {
        self.0.push((class, name.to_string(), bytes, codes));
    }

    fn add(&mut self, class: &'static str, name: impl ToString, file: File, codes: &'static [&'static str]) {
        self.bytes(class, name, file.bytes(), codes);
    }

    fn malformed(&mut self, class: &'static str, name: impl ToString, file: File) {
        self.add(class, name, file, &[MALFORMED]);
    }
}

/// A source that does not know its size, as of a server that does not tell.
struct Unsized(MemorySource);

impl ByteSource for Unsized {
    fn len(&self) -> Option<u64> {
        None
    }

    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()> {
        self.0.stream(range, sink).await
    }
}

/// All that is done with a file before a GPU is needed.
fn open(source: &impl ByteSource) -> Result<()> {
    let opened = block_on(Opened::read(source, &()))?;
    let budget = Budget { total: None, buffer: u64::MAX };
    Fit::of(&opened.gguf, &opened.config, &LoadOptions::default(), &budget).map(|_| ())
}

fn load(source: &impl ByteSource) -> Result<()> {
    block_on(async { Session::load_on(Gpu::new().await?, source, &LoadOptions::default(), &()).await }).map(|_| ())
}

/// Each file ends in one of its codes; returns how many there were.
fn all_fail(cases: Cases, run: fn(&MemorySource) -> Result<()>) -> usize {
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let n = cases.0.len();
    let mut highest = 0;
    for (class, name, bytes, codes) in cases.0 {
        *classes.entry(class).or_default() += 1;
        let source = MemorySource(bytes);
        let (result, peak) = peak_bytes(|| {
            let result = run(&source);
            // A size that is not known hides some faults, and must not make others worse.
            let _ = open(&Unsized(source));
            result
        });
        match result {
            Ok(()) => wrong.push(format!("{class}, {name}: no error")),
            Err(e) if codes.contains(&e.code()) => assert!(e.to_string().len() < 100_000, "{class}, {name}"),
            Err(e) => wrong.push(format!("{class}, {name}: {}: {e}; {codes:?} are right", e.code())),
        }
        highest = highest.max(peak);
        if peak > MAX_PEAK_BYTES {
            wrong.push(format!("{class}, {name}: {peak} bytes of memory"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{n} malformed files, {n} errors: {classes:?}; at most {highest} bytes of memory");
    n
}

const ABSURD: [u64; 6] = [1 << 32, 1 << 40, 1 << 60, 1 << 62, 1 << 63, u64::MAX];

fn structure(cases: &mut Cases) {
    let base = || sound("llama");
    for magic in [b"GGML", b"GGUX", b"gguf", b"FUGG", b"\0\0\0\0", b"PK\x03\x04"] {
        cases.malformed("magic", format!("{magic:?}"), base().edit(|f| f.magic = *magic));
    }
    for version in [0, 1, 4, 5, 255, 2u32.swap_bytes(), 3u32.swap_bytes(), u32::MAX] {
        cases.malformed("version", version, base().edit(|f| f.version = version));
    }
    for n in ABSURD.into_iter().chain([13, 12, 100_001]) {
        cases.malformed("counts", format!("{n} tensors"), base().edit(|f| f.n_tensors = n));
    }
    for n in ABSURD.into_iter().chain([0, 1, 11, 13, 10_001]) {
        cases.add("counts", format!("{n} pairs"), base().edit(|f| f.n_pairs = n), &[MALFORMED, TOKENIZER]);
    }
    for n in ABSURD.into_iter().chain([70_000]) {
        let (bytes, fields) = base().bytes_and_fields();
        // The first key's length, the first value's, the first tensor's name's.
        for (what, field) in [("key", 4), ("text", 7), ("name", 4 + 4 * 12)] {
            let at = fields[field - 1];
            let mut bytes = bytes.clone();
            bytes[at..at + 8].copy_from_slice(&n.to_le_bytes());
            cases.bytes("lengths", format!("{n} bytes of a {what}"), bytes, &[MALFORMED]);
        }
        for ty in [0, 4, 8, 9, 12] {
            let file = base().with("tokenizer.ggml.tokens", array(ty, n, &[0; 64]));
            cases.malformed("lengths", format!("array of {n} of type {ty}"), file);
        }
        let one = [n.to_le_bytes().to_vec(), vec![b'a'; 8]].concat();
        cases.malformed("lengths", format!("{n} bytes of an element"), base().with("x", array(8, 1, &one)));
    }
    for ty in [13, 14, 255, 1 << 31, u32::MAX] {
        cases.malformed("types", format!("value of type {ty}"), base().with("x", (ty, vec![0; 8])));
        cases.malformed("types", format!("array of type {ty}"), base().with("x", array(ty, 1, &[0; 8])));
    }
    let mut nested = array(4, 1, &[0; 4]).1;
    for depth in 2..8 {
        nested = array(9, 1, &nested).1;
        if depth > 4 {
            cases.malformed("types", format!("arrays {depth} deep"), base().with("x", (9, nested.clone())));
        }
    }
    for ty in [4, 5, 31, 32, 33, 36, 40, 99, u32::MAX] {
        cases.malformed("types", format!("tensor of type {ty}"), base().change("blk.0.attn_q.weight", |t| t.ty = ty));
    }
    // Smaller than F32, so that the file has their bytes.
    for ty in [9, 15, 16, 17, 18, 19, 21, 22, 24, 25, 29, 34, 35] {
        let file = base().change("blk.0.ffn_down.weight", |t| {
            t.ty = ty;
            t.dims = vec![256, 4];
        });
        cases.add("types", format!("tensor of type {ty} without kernels"), file, &[TENSOR_TYPE]);
    }
    for (ty, cols) in [(2, 16), (2, 48), (8, 31), (8, 33), (12, 64), (14, 255), (39, 33)] {
        let file = base().change("blk.0.attn_k.weight", |t| {
            t.ty = ty;
            t.dims[0] = cols;
        });
        cases.malformed("shapes", format!("rows of {cols} of type {ty}"), file);
    }
    for n_dims in [5, 6, 255, u32::MAX] {
        let file = base().change("blk.0.attn_q.weight", |t| t.n_dims = n_dims);
        cases.malformed("shapes", format!("{n_dims} dimensions"), file);
    }
    for dims in [[0, 64], [64, 0], [0, 0], [1 << 31, 1 << 31], [1 << 32, 1 << 32], [u64::MAX, 1], [u64::MAX, u64::MAX]]
    {
        let file = base().change("blk.0.attn_q.weight", |t| t.dims = dims.to_vec());
        cases.malformed("shapes", format!("{dims:?}"), file);
    }
    let embeddings: [&[u64]; 4] = [&[], &[576], &[64, 3, 3], &[64, 3, 3, 1]];
    for dims in embeddings {
        let file = base().change("token_embd.weight", |t| {
            t.dims = dims.to_vec();
            t.n_dims = dims.len() as u32;
        });
        cases.malformed("shapes", format!("embedding of {dims:?}"), file);
    }
    for by in [1, 2, 4, 8, 16, 31] {
        cases.malformed("offsets", format!("+{by}"), base().change("blk.0.attn_q.weight", |t| t.offset += by));
    }
    for offset in [1 << 20, 1 << 40, 1 << 60, 1 << 62, 1 << 63, u64::MAX - 31] {
        let file = base().change("blk.0.attn_q.weight", |t| t.offset = offset);
        cases.malformed("offsets", format!("at {offset}"), file);
    }
    for name in ["output_norm", "blk.0.attn_q", "blk.0.ffn_up", "blk.0.ffn_down"] {
        let name = format!("{name}.weight");
        cases.malformed("overlaps", format!("{name} at 0"), base().change(&name, |t| t.offset = 0));
        cases.malformed("overlaps", format!("{name} 32 early"), base().change(&name, |t| t.offset -= 32));
    }
    for n in [0, 1, 3, 4, 7, 33, 48, 1 << 21, 1 << 31, u32::MAX] {
        cases.malformed("alignment", n, base().with("general.alignment", u32v(n)));
    }
    let alignments = [i32v(-32), i32v(32), f32v(32.0), text("32"), bool_v(true), i32s(&[32]), (10, vec![32; 8])];
    for value in alignments {
        cases.malformed("alignment", format!("of type {}", value.0), base().with("general.alignment", value));
    }
    cases.malformed("alignment", 64, base().with("general.alignment", u32v(1 << 16)));
    for (key, value) in base().pairs {
        let name = String::from_utf8_lossy(&key).into_owned();
        cases.malformed("duplicates", name, base().again(&key, value));
    }
    for name in ["token_embd.weight", "blk.0.attn_q.weight", "blk.0.ffn_norm.weight"] {
        cases.malformed("duplicates", name, base().tensor(name, &[64]));
    }
    cases.malformed("names", "a key that is no UTF-8", base().again(b"a\xff", u32v(1)));
    let file = base().tensor("x", &[1]).change("x", |t| t.name = b"\xc3(".to_vec());
    cases.malformed("names", "a tensor's that is no UTF-8", file);
    cases.malformed("names", "a long key", base().again(&[b'k'; 65_536], u32v(1)));
    // Spelt out for each string, such a key would cost hours.
    let file = base().again(&[b'k'; 65_535], texts(&[""; 100_000])).with("general.alignment", u32v(3));
    cases.malformed("names", "a long key of many strings", file);
}

/// The base file cut at every field's end, and beside it.
fn truncated(cases: &mut Cases) {
    let (bytes, mut ends) = sound("llama").bytes_and_fields();
    let n_data = sound("llama").data.len();
    let header = bytes.len() - n_data;
    ends.extend([0, header, header + 1, header + n_data / 2, bytes.len() - 1]);
    let mut cuts: Vec<usize> = ends.iter().flat_map(|&end| [end.saturating_sub(1), end, end + 1]).collect();
    cuts.retain(|&cut| cut < bytes.len());
    cuts.sort_unstable();
    cuts.dedup();
    for cut in cuts {
        cases.bytes("truncated", cut, bytes[..cut].to_vec(), &[MALFORMED]);
    }
}

fn hyper_parameters(cases: &mut Cases) {
    let class = "hyper-parameters";
    let llama = |key: &str, value| sound("llama").with(&format!("llama.{key}"), value);
    let keys = [
        "block_count",
        "context_length",
        "embedding_length",
        "feed_forward_length",
        "attention.head_count",
        "attention.layer_norm_rms_epsilon",
    ];
    for key in keys {
        cases.malformed("missing metadata", key, sound("llama").without(&format!("llama.{key}")));
    }
    cases.malformed("missing metadata", "architecture", sound("llama").without("general.architecture"));
    let sizes = [
        "block_count",
        "context_length",
        "embedding_length",
        "feed_forward_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.value_length",
        "rope.dimension_count",
    ];
    for key in sizes {
        for value in [u32v(0), u32v((1 << 20) + 1), u32v(u32::MAX), (10, vec![255; 8]), i32v(-1), (11, vec![255; 8])] {
            cases.malformed(class, format!("{key} of {value:?}"), llama(key, value));
        }
        // Some keys may have one value for each layer; there is one layer.
        for value in [text("4"), f32v(4.0), bool_v(true), i32s(&[4, 4]), texts(&["4"])] {
            cases.malformed("wrong types", format!("{key} of type {}", value.0), llama(key, value));
        }
    }
    for (key, n) in [
        ("block_count", 1025),
        ("block_count", 1 << 20),
        ("attention.head_count", 3),
        ("attention.head_count", 5),
        ("attention.head_count_kv", 3),
        ("attention.head_count_kv", 8),
        ("embedding_length", 63),
        ("embedding_length", 66),
        ("attention.head_count", 1 << 20),
        ("attention.key_length", 1 << 20),
    ] {
        cases.malformed(class, format!("{key} of {n}"), llama(key, u32v(n)));
    }
    let square = llama("attention.head_count", u32v(1 << 20)).with("llama.attention.key_length", u32v(1 << 20));
    cases.malformed(class, "2^40 elements of heads", square);
    for (key, n) in [
        ("attention.value_length", 8),
        ("rope.dimension_count", 5),
        ("rope.dimension_count", 20),
        ("rope.dimension_count", 1 << 20),
        ("expert_count", 8),
    ] {
        cases.add(class, format!("{key} of {n}"), llama(key, u32v(n)), &[ARCHITECTURE]);
    }
    for scaling in ["", "ntk", "su", "YARN"] {
        cases.add(
            class,
            format!("rope scaling '{scaling}'"),
            llama("rope.scaling.type", text(scaling)),
            &[ARCHITECTURE],
        );
    }
    let not_numbers = || [f32v(f32::NAN), f32v(f32::INFINITY), f32v(f32::NEG_INFINITY), f64v(f64::NAN), f64v(1e300)];
    for value in not_numbers().into_iter().chain([f32v(-1e-5), f32v(1.0), i32v(-1), u32v(1)]) {
        let key = "attention.layer_norm_rms_epsilon";
        cases.malformed("epsilons", format!("{value:?}"), llama(key, value.clone()));
        let layer_norm = sound("llama").without(&format!("llama.{key}"));
        cases.malformed(
            "epsilons",
            format!("LayerNorm {value:?}"),
            layer_norm.with("llama.attention.layer_norm_epsilon", value),
        );
    }
    for value in not_numbers().into_iter().chain([f32v(0.0), f32v(-1.0), text("1e4")]) {
        cases.malformed("scales", format!("rope base {value:?}"), llama("rope.freq_base", value));
    }
    let bad_scales = || not_numbers().into_iter().chain([f32v(-1.0), f32v(1e-40), f32v(1e30), text("1"), bool_v(true)]);
    for value in bad_scales() {
        for key in ["rope.scaling.factor", "rope.scale_linear", "rope.scaling.attn_factor"] {
            cases.malformed("scales", format!("{key} {value:?}"), llama(key, value.clone()));
        }
        for key in ["yarn_beta_fast", "yarn_beta_slow"] {
            let file = llama("rope.scaling.type", text("yarn")).with("llama.rope.scaling.factor", f32v(4.0));
            let file = file.with(&format!("llama.rope.scaling.{key}"), value.clone());
            cases.malformed("scales", format!("{key} {value:?}"), file);
        }
        for key in ["embedding_scale", "attention.scale", "residual_scale", "logit_scale"] {
            let file = sound("granite").with(&format!("granite.{key}"), value.clone());
            cases.malformed("scales", format!("granite's {key} {value:?}"), file);
        }
        for (arch, key) in [
            ("gemma2", "attn_logit_softcapping"),
            ("gemma2", "final_logit_softcapping"),
            ("gemma3", "final_logit_softcapping"),
        ] {
            let file = sound(arch).with(&format!("{arch}.{key}"), value.clone());
            cases.malformed("scales", format!("{arch}'s {key} {value:?}"), file);
        }
    }
    let experts = |count, used, width| {
        sound("qwen3moe")
            .with("qwen3moe.expert_count", u32v(count))
            .with("qwen3moe.expert_used_count", u32v(used))
            .with("qwen3moe.expert_feed_forward_length", u32v(width))
    };
    for (count, used, width) in [(0, 1, 32), (4, 0, 32), (4, 5, 32), (1025, 2, 32), (1 << 20, 1 << 20, 32), (4, 2, 0)] {
        cases.malformed("experts", format!("{used} of {count}, {width} wide"), experts(count, used, width));
    }
    cases.malformed("experts", "no count", sound("qwen3moe"));
    for arch in ["", "mamba", "bert", "llama4", "LLAMA", "llama\0", &"x".repeat(50_000)] {
        let file = sound("llama").with("general.architecture", text(arch));
        cases.add("architectures", arch.get(..9).unwrap_or(arch), file, &[ARCHITECTURE]);
    }
    for value in [u32v(1), bool_v(true), texts(&["llama"]), (8, sized(b"\xff"))] {
        let name = format!("of type {}", value.0);
        cases.malformed("architectures", name, sound("llama").with("general.architecture", value));
    }
}

fn tokenizers(cases: &mut Cases) {
    const EITHER: &[&str] = &[TOKENIZER, MALFORMED];
    let base = |model: &str| sound("llama").with("tokenizer.ggml.model", text(model));
    let with = |model: &str, key: &str, value| base(model).with(&format!("tokenizer.ggml.{key}"), value);
    let spm = |key: &str, value| {
        base("llama")
            .with("tokenizer.ggml.scores", f32s(&[0.0; N_VOCAB as usize]))
            .with(&format!("tokenizer.ggml.{key}"), value)
    };
    let class = "tokenizers";
    for key in ["model", "tokens", "merges"] {
        let file = sound("llama").without(&format!("tokenizer.ggml.{key}"));
        cases.add(class, format!("no {key}"), file, &[TOKENIZER]);
    }
    for model in ["", "rwkv", "no_vocab", "none", "GPT2"] {
        cases.add(class, format!("model '{model}'"), base(model), &[TOKENIZER]);
    }
    for model in ["gpt2", "llama", "bert", "t5", "gemma4"] {
        for n in [0, 1, 5, 8, 10, 1000] {
            let tokens: Vec<String> = (0..n).map(|i| format!("t{i}")).collect();
            let file = with(model, "tokens", texts(&tokens)).with("tokenizer.ggml.scores", f32s(&vec![0.0; n]));
            cases.add(class, format!("{n} tokens of {model}"), file, EITHER);
        }
        for value in [text("a"), u32v(9), i32s(&[1; 9]), f32s(&[1.0; 9]), array(9, 0, &[])] {
            cases.add(class, format!("tokens of {model} of type {}", value.0), with(model, "tokens", value), EITHER);
        }
        for value in [i32s(&[1; 8]), i32s(&[]), texts(&["1"; 9]), text("1"), u32v(1), array(7, 9, &[1; 9])] {
            let name = format!("token types of {model}, {} bytes of type {}", value.1.len(), value.0);
            cases.add(class, name, with(model, "token_type", value), EITHER);
        }
    }
    for model in ["llama", "t5"] {
        cases.add(class, format!("{model} without scores"), base(model), &[TOKENIZER]);
        let mut nan = [0.0; N_VOCAB as usize];
        nan[4] = f32::NAN;
        for value in [f32s(&[0.0; 8]), f32s(&[]), texts(&["0"; 9]), text("0"), f32v(0.0), f32s(&nan)] {
            let name = format!("scores of {model}, {} bytes of type {}", value.1.len(), value.0);
            cases.add(class, name, with(model, "scores", value), EITHER);
        }
    }
    for merge in ["", "a", "ab", " ", "a\u{a0}b"] {
        cases.add(class, format!("merge '{merge}'"), with("gpt2", "merges", texts(&["a b", merge])), &[TOKENIZER]);
    }
    for value in [text("a b"), i32s(&[1]), u32v(1), array(9, 1, &array(4, 1, &[0; 4]).1)] {
        cases.add(class, format!("merges of type {}", value.0), with("gpt2", "merges", value), EITHER);
    }
    for key in
        ["bos_token_id", "eos_token_id", "unknown_token_id", "padding_token_id", "eot_token_id", "fim_pad_token_id"]
    {
        for value in [i32v(-1), (10, vec![255; 8]), text("1"), f32v(1.0), i32s(&[1]), bool_v(true)] {
            cases.malformed("token ids", format!("{key} of type {}", value.0), spm(key, value));
        }
    }
    for key in ["add_bos_token", "add_eos_token", "add_space_prefix"] {
        for value in [u32v(1), text("true"), f32v(1.0)] {
            cases.malformed("wrong types", format!("{key} of type {}", value.0), spm(key, value));
        }
    }
    for value in [u32v(1), bool_v(true), texts(&["gpt-2"]), (8, sized(b"\xff"))] {
        cases.malformed("wrong types", format!("pre of type {}", value.0), with("gpt2", "pre", value.clone()));
        cases.malformed("wrong types", format!("model of type {}", value.0), with("gpt2", "model", value));
    }
    for key in ["tokenizer.chat_template", "tokenizer.chat_template.tool_use"] {
        for value in [u32v(1), bool_v(true), f32v(0.0), texts(&["{{ x }}"]), i32s(&[1]), (8, sized(b"{{ '\xff' }}"))] {
            cases.malformed("chat templates", format!("{key} of type {}", value.0), sound("llama").with(key, value));
        }
    }
    for charsmap in [vec![1], vec![100, 0, 0, 0], vec![100, 0, 0, 0, 1], vec![255; 4], vec![3, 0, 0, 0, 1, 1, 1]] {
        let scores = f32s(&[0.0; N_VOCAB as usize]);
        let file = with("t5", "scores", scores).with("tokenizer.ggml.precompiled_charsmap", i32s(&charsmap));
        cases.add(class, format!("charsmap {charsmap:?}"), file, EITHER);
    }
}

fn splits(cases: &mut Cases) {
    let with = |key: &str, value| sound("llama").with(key, value);
    for n in [2, 3, 999, 1 << 31, u32::MAX] {
        cases.malformed("split", format!("1 of {n}"), with("split.count", u32v(n)));
        cases.malformed("split", format!("{n} of 1"), with("split.no", u32v(n)));
    }
    for key in ["split.count", "split.no"] {
        for value in [text("1"), i32v(-1), f32v(1.0), bool_v(false), i32s(&[1])] {
            cases.malformed("split", format!("{key} of type {}", value.0), with(key, value));
        }
    }
}

#[test]
fn malformed_files_are_errors_before_a_gpu_is_needed() {
    let _turn = TURN.lock();
    open(&MemorySource(sound("llama").bytes())).expect("the file is sound but for what is done to it");
    for arch in ["granite", "gemma2", "gemma3"] {
        open(&MemorySource(sound(arch).bytes())).expect(arch);
    }
    let mut cases = Cases::default();
    structure(&mut cases);
    truncated(&mut cases);
    hyper_parameters(&mut cases);
    tokenizers(&mut cases);
    splits(&mut cases);
    assert!(all_fail(cases, open) >= 200);
}

#[test]
fn weights_that_do_not_suit_the_model_are_errors_before_they_are_read() {
    let _turn = TURN.lock();
    let base = || sound("llama");
    load(&MemorySource(base().bytes())).expect("the file is sound but for what is done to it");
    let mut cases = Cases::default();
    for t in base().tensors.iter().skip(1) {
        let name = String::from_utf8_lossy(&t.name).into_owned();
        cases.malformed("missing tensors", &name, base().without_tensor(&name));
        cases.malformed(
            "wrong shapes",
            format!("{name}, a row less"),
            base().change(&name, |t| *t.dims.last_mut().unwrap() -= 1),
        );
        cases.malformed(
            "wrong shapes",
            format!("{name}, 3 dimensions"),
            base().change(&name, |t| {
                t.dims.resize(3, 1);
                t.n_dims = 3;
            }),
        );
    }
    cases.malformed("wrong shapes", "transposed", base().change("blk.0.ffn_down.weight", |t| t.dims = vec![64, 96]));
    for (key, n) in
        [("block_count", 2), ("feed_forward_length", 64), ("embedding_length", 128), ("attention.head_count", 8)]
    {
        cases.malformed("wrong shapes", format!("{key} of {n}"), base().with(&format!("llama.{key}"), u32v(n)));
    }
    for name in ["x", "blk.1.attn_q.weight", "blk.0.attn_q_norm.weight", "output"] {
        cases.add("unknown tensors", name, base().tensor(name, &[64]), &[ARCHITECTURE]);
    }
    let half = base().change("output_norm.weight", |t| t.ty = 1);
    cases.add("types", "a norm in F16", half, &[TENSOR_TYPE]);
    for dims in [&[7u64][..], &[9], &[4, 2], &[1]] {
        cases.malformed("rope factors", format!("{dims:?}"), base().tensor("rope_freqs.weight", dims));
    }
    for value in [0.0, f32::NAN, f32::INFINITY, 1e-45] {
        let file = base().tensor("rope_freqs.weight", &[8]).edit(|f| {
            let at = f.data.len() - 32;
            f.data[at..at + 4].copy_from_slice(&value.to_le_bytes());
        });
        cases.malformed("rope factors", value, file);
    }
    all_fail(cases, load);
}
