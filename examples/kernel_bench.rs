//! Times ops alone on the native GPU, each against the bytes it reads or the operations it does; attention over the ways to
//! divide its work, too.
//!
//! usage: cargo run --release --example kernel_bench [vec|attention|tile]

use webgguf::Result;
use webgguf::formats::gguf::GgmlType;
use webgguf::gpu::{Buffer, Gpu, Plan};
use webgguf::ops::{
    Act, Attention, AttentionParts, BatchBuffers, Input, KvCache, KvType, Matrix, Output, Phase, Recorder, Rope,
    RopeKind, Tensor, Tuning, Vector, n_groups,
};

/// The weights of one op are cycled over this many bytes, more than any cache holds.
const WORKING_SET: u64 = 192 << 20;
const REPEATS: usize = 64;

fn main() -> Result<()> {
    let what = std::env::args().nth(1).unwrap_or_default();
    pollster::block_on(async {
        let gpu = Gpu::new().await?;
        println!("# {} subgroups {}", gpu.caps.adapter, gpu.caps.subgroup_min);
        if what.is_empty() || what == "vec" {
            vec(&gpu).await?;
        }
        if what.is_empty() || what == "attention" {
            attention(&gpu).await?;
        }
        if what.is_empty() || what == "tile" {
            tile(&gpu).await?;
        }
        Ok(())
    })
}

/// Fill a buffer with small f16 pairs and arbitrary codes: no NaN, no denormals.
fn randomise(gpu: &Gpu, buffer: &Buffer) {
    let words: Vec<u32> =
        (0..(1 << 18)).map(|i: u32| i.wrapping_mul(0x9e37_79b9) & 0x03ff_0f0f | 0x2000_2000).collect();
    let bytes = buffer.bytes();
    let mut at = 0;
    while at < bytes {
        let n = ((bytes - at) / 4).min(words.len() as u64) as usize;
        gpu.write(buffer, at, &words[..n]);
        at += n as u64 * 4;
    }
}

/// Microseconds of one of the `ops` of a plan.
async fn median(gpu: &Gpu, plan: &Plan, n_tokens: u32, ops: usize) -> Result<f64> {
    let mut us = Vec::new();
    for _ in 0..7 {
        us.push(gpu.time_plan(plan, n_tokens).await? / ops as f64);
    }
    us.sort_by(f64::total_cmp);
    Ok(us[3])
}

fn batch(gpu: &Gpu, pos: u32, n_tokens: u32) -> Result<BatchBuffers> {
    let batch = BatchBuffers::new(gpu, n_tokens)?;
    batch.set_place(gpu, pos, n_tokens);
    Ok(batch)
}

struct Shape {
    name: &'static str,
    ty: GgmlType,
    n: u32,
    k: u32,
    input: &'static str,
    output: &'static str,
}

const fn shape(name: &'static str, ty: GgmlType, n: u32, k: u32, input: &'static str, output: &'static str) -> Shape {
    Shape { name, ty, n, k, input, output }
}

const SHAPES: [Shape; 16] = [
    shape("smollm2 qkv", GgmlType::Q8_0, 960, 576, "rms_norm", "store"),
    shape("smollm2 out", GgmlType::Q8_0, 576, 576, "plain", "add"),
    shape("smollm2 gate/up", GgmlType::Q8_0, 3072, 576, "rms_norm", "swiglu"),
    shape("smollm2 down", GgmlType::Q8_0, 576, 1536, "plain", "add"),
    shape("smollm2 head", GgmlType::Q8_0, 49_152, 576, "rms_norm", "store"),
    shape("llama-1b qkv", GgmlType::Q4_0, 3072, 2048, "rms_norm", "store"),
    shape("llama-1b out", GgmlType::Q4_0, 2048, 2048, "plain", "add"),
    shape("llama-1b gate/up", GgmlType::Q4_0, 16_384, 2048, "rms_norm", "swiglu"),
    shape("llama-1b down", GgmlType::Q4_0, 2048, 8192, "plain", "add"),
    shape("llama-1b head", GgmlType::Q4_0, 128_256, 2048, "rms_norm", "store"),
    shape("gpt2 qkv", GgmlType::F16, 2304, 768, "layer_norm", "bias"),
    shape("gpt2 down", GgmlType::F16, 768, 3072, "plain", "bias_add"),
    shape("gpt2 head", GgmlType::F16, 50_257, 768, "layer_norm", "store"),
    shape("gemma3-1b gate/up", GgmlType::Q8_0, 13_824, 1152, "rms_norm", "geglu"),
    shape("gemma3-1b down", GgmlType::Q8_0, 1152, 6912, "plain", "store"),
    shape("llama-1b Q4_K gate/up", GgmlType::Q4_K, 16_384, 2048, "rms_norm", "swiglu"),
];

/// What a matmul of a shape reads and writes, but for its weights.
struct Operands {
    x: Tensor,
    norm: Vector,
    norm_bias: Vector,
    bias: Vector,
    y: Tensor,
}

impl Operands {
    fn new(gpu: &Gpu, s: &Shape) -> Result<Self> {
        let vector = |len: u32| -> Result<Vector> {
            Ok(Vector { buffer: gpu.buffer_with("v", &vec![0.01f32; n_groups(len) as usize * 16])?, len })
        };
        let width = if s.output.ends_with("glu") { s.n / 2 } else { s.n };
        let x = Tensor::new(gpu, "x", 1, s.k)?;
        randomise(gpu, &x.buffer);
        // As in a model, y has room for its digits.
        let y = Tensor::new(gpu, "y", 2, width)?;
        Ok(Operands { x, norm: vector(s.k)?, norm_bias: vector(s.k)?, bias: vector(s.n)?, y })
    }

    fn input(&self, s: &Shape) -> Input<'_> {
        let (x, weight, bias, eps) = (&self.x, &self.norm, &self.norm_bias, 1e-5);
        match s.input {
            "rms_norm" => Input::RmsNorm { x, weight, eps },
            "layer_norm" => Input::LayerNorm { x, weight, bias, eps },
            _ => Input::Plain(x),
        }
    }

    fn output(&self, s: &Shape) -> Output<'_> {
        let (y, bias) = (&self.y, Some(&self.bias));
        match s.output {
            "bias" => Output::Store { y, bias },
            "add" => Output::Add { y, bias: None, scale: 1.0 },
            "bias_add" => Output::Add { y, bias, scale: 1.0 },
            "swiglu" => Output::Glu { y, act: Act::Silu },
            "geglu" => Output::Glu { y, act: Act::Gelu },
            _ => Output::Store { y, bias: None },
        }
    }
}

fn matrix(gpu: &Gpu, s: &Shape) -> Result<Matrix> {
    let matrix = Matrix::new(gpu, s.name, &[(s.ty, s.n)], s.k)?;
    for part in &matrix.parts {
        randomise(gpu, &part.qs);
        part.sc.iter().for_each(|sc| randomise(gpu, sc));
    }
    Ok(matrix)
}

async fn vec(gpu: &Gpu) -> Result<()> {
    println!("# shape, products of, us, GB/s");
    let batch = batch(gpu, 0, 1)?;
    for s in &SHAPES {
        let mut matrices = vec![matrix(gpu, s)?];
        let bytes = matrices[0].bytes();
        for _ in 1..(WORKING_SET.div_ceil(bytes) as usize).clamp(1, REPEATS) {
            matrices.push(matrix(gpu, s)?);
        }
        let operands = Operands::new(gpu, s)?;
        for (name, int8_products) in [("floats", false), ("integers", true)] {
            if int8_products && !gpu.caps.int8_products {
                continue;
            }
            let mut r = Recorder::new(gpu, &batch, Phase::Decode { far: false })
                .with_tuning(Tuning { int8_products, ..Tuning::of(&gpu.caps) });
            for w in matrices.iter().cycle().take(REPEATS) {
                r.matmul(s.name, operands.input(s), w, operands.output(s))?;
            }
            let us = median(gpu, &r.plan, 1, REPEATS).await?;
            println!("{}, {name}, {us:.2}, {:.0}", s.name, bytes as f64 / us / 1e3);
        }
    }
    Ok(())
}

async fn attention(gpu: &Gpu) -> Result<()> {
    println!("# heads, positions, splits, min split, workgroup, lanes, us");
    for (name, n_head, n_head_kv, head_dim) in
        [("smollm2", 9u32, 3u32, 64u32), ("llama-1b", 32, 8, 64), ("gemma3", 4, 1, 256), ("gpt2", 12, 12, 64)]
    {
        let capacity = 4096u32;
        let qkv = Tensor::new(gpu, "qkv", 1, (n_head + 2 * n_head_kv) * head_dim)?;
        gpu.write(&qkv.buffer, 0, &vec![0.1f32; qkv.width as usize]);
        let out = Tensor::new(gpu, "out", 1, n_head * head_dim)?;
        let table = gpu.buffer_with("rope", &vec![0.7f32; (capacity * head_dim) as usize])?;
        let rope = Rope { kind: RopeKind::Interleaved, n_rot: head_dim, table };
        let caches: Vec<KvCache> =
            (0..8).map(|_| KvCache::new(gpu, KvType::F32, n_head_kv, capacity, head_dim)).collect::<Result<_>>()?;
        for cache in &caches {
            randomise(gpu, &cache.k);
            randomise(gpu, &cache.v);
        }
        let parts = AttentionParts::new(gpu, n_head, head_dim)?;
        let own = Tuning::of(&gpu.caps);
        let mut divisions = Vec::new();
        for attention_workgroup in [64, 128, 256] {
            divisions.push((false, Tuning { attention_workgroup, ..own }));
            for max_split in [4, 8, 16, 32].into_iter().filter(|&n| n <= own.n_split(n_head)) {
                for min_split in [16, 64] {
                    divisions.push((true, Tuning { attention_workgroup, max_split, min_split, ..own }));
                }
            }
        }
        for pos in [128, 1024, 4000] {
            let batch = batch(gpu, pos, 1)?;
            for &(far, tuning) in &divisions {
                let mut r = Recorder::new(gpu, &batch, Phase::Decode { far }).with_tuning(tuning);
                for cache in caches.iter().cycle().take(16) {
                    let a = Attention {
                        n_head,
                        n_head_kv,
                        head_dim,
                        scale: 0.1,
                        window: u32::MAX,
                        rope: Some(&rope),
                        softcap: None,
                        qk_norm: None,
                        temperature: None,
                        gated: false,
                        cache,
                    };
                    r.attention(&a, &qkv, &out, &parts)?;
                }
                let us = median(gpu, &r.plan, 1, 16).await?;
                let (splits, min_split) = if far { (tuning.n_split(n_head), tuning.min_split) } else { (1, capacity) };
                let (workgroup, lanes) = (tuning.attention_workgroup, tuning.key_lanes(head_dim));
                println!("{name}, {pos}, {splits}, {min_split}, {workgroup}, {lanes}, {us:.2}");
            }
        }
    }
    Ok(())
}

async fn tile(gpu: &Gpu) -> Result<()> {
    println!("# shape, us, TFLOP/s");
    let n_tokens = 512;
    let batch = batch(gpu, 0, n_tokens)?;
    for s in &SHAPES[..9] {
        let w = matrix(gpu, s)?;
        let (x, y) = (Tensor::new(gpu, "x", n_tokens, s.k)?, Tensor::new(gpu, "y", n_tokens, s.n)?);
        let mut r = Recorder::new(gpu, &batch, Phase::Prefill);
        for _ in 0..8 {
            r.matmul(s.name, Input::Plain(&x), &w, Output::Store { y: &y, bias: None })?;
        }
        let us = median(gpu, &r.plan, n_tokens, 8).await?;
        let flop = 2.0 * f64::from(n_tokens) * f64::from(s.n) * f64::from(s.k);
        println!("{}, {us:.1}, {:.2}", s.name, flop / us / 1e6);
    }
    Ok(())
}
