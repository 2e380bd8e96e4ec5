//! Times kernels alone on the native GPU, each against the bytes it reads or the operations it does, over the ways
//! to divide its work.
//!
//! usage: cargo run --release --example kernel_bench [vec|attention|tile]

use std::rc::Rc;

use webgguf::gguf::GgmlType;
use webgguf::gpu::{Binding, Buffer, Extent, Gpu, Grid, Kernel, Plan, State, Usage};
use webgguf::ops::{Matrix, Part, Tuning, n_groups};

/// Weights of one kernel are cycled over this many bytes, more than any cache holds.
const WORKING_SET: u64 = 192 << 20;
const REPEATS: usize = 64;

fn main() -> webgguf::Result<()> {
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

fn random(gpu: &Gpu, buffer: &Buffer) {
    // Small f16 pairs and arbitrary codes: no NaN, no denormals.
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

async fn median(gpu: &Gpu, plan: &Plan, n_tokens: u32) -> webgguf::Result<f64> {
    let mut us = Vec::new();
    for _ in 0..7 {
        us.push(gpu.time_plan(plan, n_tokens).await? / plan.n_dispatches() as f64);
    }
    us.sort_by(f64::total_cmp);
    Ok(us[3])
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

fn operands<'a>(part: &'a Part, extra: &[Binding<'a>]) -> Vec<Binding<'a>> {
    let mut bindings = extra.to_vec();
    bindings.push(("w_qs", &part.qs));
    if let Some(sc) = &part.sc {
        bindings.push(("w_sc", sc));
    }
    bindings
}

async fn vec(gpu: &Gpu) -> webgguf::Result<()> {
    println!("# shape, rows, workgroup, lanes, us, GB/s");
    for s in &SHAPES {
        let groups = n_groups(s.k);
        let first = Matrix::new(gpu, s.name, &[(s.ty, s.n)], s.k)?;
        let bytes = first.bytes();
        let copies = (WORKING_SET.div_ceil(bytes) as usize).clamp(1, REPEATS);
        let mut matrices = vec![first];
        for _ in 1..copies {
            matrices.push(Matrix::new(gpu, s.name, &[(s.ty, s.n)], s.k)?);
        }
        for m in &matrices {
            random(gpu, &m.parts[0].qs);
            if let Some(sc) = &m.parts[0].sc {
                random(gpu, sc);
            }
        }
        let vector = |n: u32| gpu.buffer_with("v", &vec![0.01f32; n_groups(n) as usize * 16]);
        let (x, norm, norm_bias) = (vector(s.k)?, vector(s.k)?, vector(s.k)?);
        let (y, bias) = (vector(s.n)?, vector(s.n)?);
        let mut best: Option<(f64, String)> = None;
        let glu = s.output.ends_with("glu");
        for rows in ["1", "2", "4"] {
            for workgroup in [64u32, 128, 256] {
                for lanes in [8u32, 16, 32, 64, 128] {
                    if (glu && rows == "1") || lanes > workgroup {
                        continue;
                    }
                    let n_rows: u32 = rows.parse().unwrap_or(1);
                    let grid = s.n.div_ceil(workgroup / lanes * n_rows);
                    if grid > 65_535 {
                        continue;
                    }
                    let kernel = Kernel::new("matmul_vec")
                        .slot("WEIGHT", matrices[0].parts[0].layout.weight)
                        .slot("INPUT", s.input)
                        .slot("OUTPUT", s.output)
                        .slot("ROWS", rows)
                        .set("WG", workgroup)
                        .set("LANES", lanes)
                        .set("SUBGROUP", gpu.caps.subgroup_min)
                        .set("WORKGROUPS_X", grid)
                        .set("K16", groups)
                        .set("K", s.k)
                        .set("EPS", 1e-5)
                        .set("N", s.n)
                        .set("Y_STRIDE", s.n);
                    let mut plan = Plan::default();
                    for i in 0..REPEATS {
                        let mut extra: Vec<Binding<'_>> = vec![("x", &x), ("y", &y)];
                        if s.input != "plain" {
                            extra.push(("norm_weight", &norm));
                        }
                        if s.input == "layer_norm" {
                            extra.push(("norm_bias", &norm_bias));
                        }
                        if s.output.starts_with("bias") {
                            extra.push(("bias", &bias));
                        }
                        let bindings = operands(&matrices[i % copies].parts[0], &extra);
                        plan.dispatch(gpu, String::new(), &kernel, &bindings, Grid::x(grid))?;
                    }
                    let us = median(gpu, &plan, 1).await?;
                    let line =
                        format!("{}, {rows}, {workgroup}, {lanes}, {us:.2}, {:.0}", s.name, bytes as f64 / us / 1e3);
                    println!("{line}");
                    if best.as_ref().is_none_or(|b| us < b.0) {
                        best = Some((us, line));
                    }
                }
            }
        }
        println!("# best: {}", best.map(|b| b.1).unwrap_or_default());
    }
    Ok(())
}

async fn attention(gpu: &Gpu) -> webgguf::Result<()> {
    println!("# heads, positions, splits, min split, workgroup, lanes, us, merge us");
    for (name, h, kv, d) in
        [("smollm2", 9u32, 3u32, 64u32), ("llama-1b", 32, 8, 64), ("gemma3", 4, 1, 256), ("gpt2", 12, 12, 64)]
    {
        let capacity = 4096u32;
        let qkv = gpu.buffer_with("qkv", &vec![0.1f32; ((h + 2 * kv) * d) as usize])?;
        let rope = gpu.buffer_with("rope", &vec![0.7f32; (capacity * d) as usize])?;
        let cache_bytes = u64::from(kv * capacity * d) * 4;
        let caches: Vec<(Rc<Buffer>, Rc<Buffer>)> = (0..8)
            .map(|_| Ok((gpu.buffer("k", cache_bytes, Usage::Storage)?, gpu.buffer("v", cache_bytes, Usage::Storage)?)))
            .collect::<webgguf::Result<_>>()?;
        for (k, v) in &caches {
            random(gpu, k);
            random(gpu, v);
        }
        for pos in [128u32, 1024, 4000] {
            let state = gpu.buffer_with("state", &[State { pos, n_tokens: 1, ..State::default() }])?;
            for n_split in [4u32, 8, 16, 32] {
                for min_split in [16u32, 64] {
                    for (workgroup, lanes) in [(64u32, 8u32), (128, 32), (256, 32)] {
                        let (workgroup, lanes) = (workgroup.max(d), lanes.min(Tuning::of(&gpu.caps).lanes));
                        let per_kv = h / kv;
                        let most = (workgroup / lanes).min(workgroup / (d / 4));
                        let group = (1..=per_kv.min(most)).rev().find(|g| per_kv % g == 0).unwrap_or(1);
                        let partials = gpu.buffer("partials", u64::from(h * n_split * (d + 4)) * 4, Usage::Storage)?;
                        let set = |k: Kernel| {
                            k.set("N_HEAD", h)
                                .set("N_HEAD_KV", kv)
                                .set("HEAD_DIM", d)
                                .set("CAPACITY", capacity)
                                .set("SCALE", 0.1)
                                .set("WINDOW", u32::MAX)
                                .set("N_SPLIT", n_split)
                                .set("MIN_SPLIT", min_split)
                                .set("WG", workgroup)
                                .set("LANES", lanes)
                        };
                        let kernel = set(Kernel::new("attention_vec")
                            .slot("KV", "f32")
                            .slot("ROPE", "interleaved")
                            .slot("QK_NORM", "none"))
                        .set("ROW_D4", (h + 2 * kv) * d / 4)
                        .set("N_ROT", d)
                        .set("GROUP", group);
                        let mut plan = Plan::default();
                        for i in 0..16 {
                            let (k, v) = &caches[i % 8];
                            let bindings = [
                                ("qkv", &qkv),
                                ("rope", &rope),
                                ("k_cache", k),
                                ("v_cache", v),
                                ("y", &partials),
                                ("state", &state),
                            ];
                            plan.dispatch(
                                gpu,
                                String::new(),
                                &kernel,
                                &bindings,
                                Grid::xy(h / group, Extent::Fixed(n_split)),
                            )?;
                        }
                        let us = median(gpu, &plan, 1).await?;
                        println!("{name}, {pos}, {n_split}, {min_split}, {workgroup}, {lanes}, {us:.2}");
                    }
                }
            }
        }
    }
    Ok(())
}

async fn tile(gpu: &Gpu) -> webgguf::Result<()> {
    println!("# shape, us, TFLOP/s");
    for s in &SHAPES[..9] {
        let n_tokens = 512;
        let m = Matrix::new(gpu, s.name, &[(s.ty, s.n)], s.k)?;
        random(gpu, &m.parts[0].qs);
        let x = gpu.buffer("x", u64::from(n_tokens * n_groups(s.k)) * 64, Usage::Storage)?;
        let y = gpu.buffer("y", u64::from(n_tokens * s.n) * 4, Usage::Storage)?;
        let state = gpu.buffer_with("state", &[State { n_tokens, ..State::default() }])?;
        let kernel = Kernel::new("matmul_tile")
            .slot("WEIGHT", m.parts[0].layout.weight)
            .slot("OUTPUT", "store")
            .set("K16", n_groups(s.k))
            .set("N", s.n)
            .set("Y_STRIDE", s.n);
        let mut plan = Plan::default();
        for _ in 0..8 {
            let bindings = operands(&m.parts[0], &[("x", &x), ("y", &y), ("state", &state)]);
            plan.dispatch(gpu, String::new(), &kernel, &bindings, Grid::xy(s.n.div_ceil(64), Extent::PerTokens(64)))?;
        }
        let us = median(gpu, &plan, n_tokens).await?;
        let flop = 2.0 * f64::from(n_tokens) * f64::from(s.n) * f64::from(s.k);
        println!("{}, {us:.1}, {:.2}", s.name, flop / us / 1e6);
    }
    Ok(())
}
