//! What the native tests share.
#![allow(dead_code, reason = "each test uses some of it")]

use std::path::{Path, PathBuf};
use std::rc::Rc;

use webgguf::gguf::GgmlType;
use webgguf::gpu::Gpu;
use webgguf::model::LoadOptions;
use webgguf::ops::{Matrix, Repacker, StagedRows, Tensor, Vector, WeightLayout};
use webgguf::session::Session;
use webgguf::source::FileSource;

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the shared test data, or a visible SKIP where it is not there.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WEBGGUF_DATA").map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("SKIP: {} is not there", file.display());
    None
}

/// The model of a file, on the GPU with or without subgroups.
pub fn load(path: &Path, subgroups: bool) -> Rc<Session> {
    load_with(path, subgroups, &LoadOptions::default())
}

pub fn load_with(path: &Path, subgroups: bool, options: &LoadOptions) -> Rc<Session> {
    let gpu = pollster::block_on(Gpu::new()).unwrap();
    load_on(if subgroups { gpu } else { gpu.without_subgroups() }, path, options)
}

pub fn load_on(gpu: Gpu, path: &Path, options: &LoadOptions) -> Rc<Session> {
    let source = FileSource::open(path).unwrap();
    Rc::new(pollster::block_on(Session::load_on(gpu, &source, options, &())).unwrap())
}

/// Leave a result for `scripts/coverage-table.mjs`: what was tested how, and the error. A later run writes over it.
pub fn record(kind: &str, key: &str, result: serde_json::Value) {
    let dir = repository().join("target/coverage").join(kind);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(format!("{key}.json")), format!("{result}\n")).unwrap();
}

/// A NumPy array of f32 in C order.
pub struct Npy {
    pub data: Vec<f32>,
}

impl Npy {
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(&bytes[..6], b"\x93NUMPY");
        let header_bytes = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
        let header = std::str::from_utf8(&bytes[10..10 + header_bytes]).unwrap();
        assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
        let data = bytes[10 + header_bytes..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        Npy { data: data.collect() }
    }
}

/// A generator for test data: small, seeded, the same everywhere (SplitMix64).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in -1 to 1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub fn vec(&mut self, n: usize, scale: f32) -> Vec<f32> {
        (0..n).map(|_| self.unit() * scale).collect()
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

/// The GPU as it is, and as one without subgroups would be.
pub fn gpus() -> [Gpu; 2] {
    pollster::block_on(async { [Gpu::new().await.unwrap(), Gpu::new().await.unwrap().without_subgroups()] })
}

pub fn read(gpu: &Gpu, t: &Tensor, rows: usize) -> Vec<f32> {
    let stride = t.stride() as usize;
    let raw: Vec<f32> = pollster::block_on(gpu.read(&t.buffer, rows * stride)).unwrap();
    raw.chunks_exact(stride).flat_map(|r| r[..t.width as usize].to_vec()).collect()
}

/// A tensor of `rows` with this data.
pub fn tensor(gpu: &Gpu, rows: usize, width: usize, data: &[f32]) -> Tensor {
    let t = Tensor::new(gpu, "test", rows as u32, width as u32).unwrap();
    let mut padded = vec![0f32; rows * t.stride() as usize];
    for (to, from) in padded.chunks_exact_mut(t.stride() as usize).zip(data.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
    gpu.write(&t.buffer, 0, &padded);
    t
}

pub fn vector(gpu: &Gpu, data: &[f32]) -> Vector {
    let mut padded = data.to_vec();
    padded.resize(data.len().next_multiple_of(16), 0.0);
    Vector { buffer: gpu.buffer_with("test", &padded).unwrap(), len: data.len() as u32 }
}

/// Fails beyond the tolerance; returns the relative L2 error.
pub fn assert_close(got: &[f32], want: &[f64], tolerance: f64, what: &str) -> f64 {
    assert_eq!(got.len(), want.len(), "{what}");
    let err: f64 = got.iter().zip(want).map(|(&g, &w)| (f64::from(g) - w).powi(2)).sum();
    let norm: f64 = want.iter().map(|w| w * w).sum();
    let rel = (err / norm.max(1e-30)).sqrt();
    assert!(rel <= tolerance, "{what}: relative L2 {rel:.2e}, {tolerance:.0e} is allowed");
    rel
}

/// Fill a matrix from blocks as they are in a file. They lie at an odd byte of the staging buffer, as they may.
pub fn repack(gpu: &Gpu, ty: GgmlType, matrix: &Matrix, blocks: &[u8]) {
    let at_bytes = 3;
    let mut staged = vec![0u8; at_bytes];
    staged.extend_from_slice(blocks);
    staged.resize(staged.len().next_multiple_of(4) + 4, 0);
    let row_bytes = ty.row_bytes(matrix.cols.into()).unwrap();
    let repacker = Repacker::new(gpu).unwrap();
    for (i, part) in matrix.parts.iter().enumerate() {
        let rows = part.rows.clone();
        let first = u64::from(rows.start) * row_bytes;
        let end = (at_bytes as u64 + u64::from(rows.end) * row_bytes).next_multiple_of(4) + 4;
        let from = first & !3;
        let staging = gpu.buffer_with("staging", &staged[from as usize..end as usize]).unwrap();
        let at_bytes = at_bytes as u64 + first - from;
        repacker.rows(gpu, &StagedRows { staging: &staging, at_bytes, rows, row0: 0, step: 1 }, matrix, i).unwrap();
    }
}

/// Random blocks of a type, with scales that keep values near 1.
pub fn blocks(rng: &mut Rng, ty: GgmlType, rows: u32, cols: u32) -> Vec<u8> {
    if ty == GgmlType::F32 {
        return rng.vec((rows * cols) as usize, 1.0).iter().flat_map(|v| v.to_le_bytes()).collect();
    }
    if ty == GgmlType::F16 || ty == GgmlType::BF16 {
        let values = rng.vec((rows * cols) as usize, 1.0);
        return match ty {
            GgmlType::F16 => values.iter().flat_map(|&v| half::f16::from_f32(v).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|&v| half::bf16::from_f32(v).to_le_bytes()).collect(),
        };
    }
    let n = u64::from(rows) * ty.row_bytes(cols.into()).unwrap();
    let mut bytes = rng.bytes(n as usize);
    let halves: &[usize] = match ty {
        GgmlType::Q4_1 | GgmlType::Q5_1 | GgmlType::Q4_K | GgmlType::Q5_K => &[0, 2],
        GgmlType::Q2_K => &[80, 82],
        GgmlType::Q3_K => &[108],
        GgmlType::Q6_K => &[208],
        GgmlType::MXFP4 => &[],
        _ => &[0],
    };
    for block in bytes.chunks_exact_mut(ty.block_bytes() as usize) {
        for &at in halves {
            let d = half::f16::from_f32(rng.unit() * 0.02);
            block[at..at + 2].copy_from_slice(&d.to_le_bytes());
        }
        if ty == GgmlType::MXFP4 {
            block[0] = 120 + block[0] % 8;
        }
    }
    bytes
}

pub fn supported() -> impl Iterator<Item = GgmlType> {
    GgmlType::all().filter(|&t| WeightLayout::of(t).is_some())
}
