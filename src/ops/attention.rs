//! Attention over the KV cache, with what goes right before it: q/k norms, rotary embedding, cache store.

use std::rc::Rc;

use super::{Input, Phase, Recorder, Tensor, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Binding, Buffer, Extent, Gpu, Grid, Kernel, Usage};

/// Which elements of a head rotate together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RopeKind {
    /// `(2i, 2i + 1)`: ggml's NORM.
    Interleaved,
    /// `(i, i + n_rot / 2)`: ggml's NEOX.
    HalfSplit,
}

/// The type of the cached keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KvType {
    F32,
    F16,
}

impl KvType {
    fn slot(self) -> &'static str {
        match self {
            KvType::F32 => "f32",
            KvType::F16 => "f16",
        }
    }

    #[must_use]
    pub fn elem_bytes(self) -> u64 {
        match self {
            KvType::F32 => 4,
            KvType::F16 => 2,
        }
    }
}

/// The cached keys and values of a layer: `(n_head_kv, capacity, head_dim)` each.
pub struct KvCache {
    pub k: Rc<Buffer>,
    pub v: Rc<Buffer>,
    /// Positions kept; position `p` lies at `p % capacity`.
    pub capacity: u32,
    pub ty: KvType,
}

impl KvCache {
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, ty: KvType, n_head_kv: u32, capacity: u32, head_dim: u32) -> Result<Self> {
        let bytes = u64::from(n_head_kv) * u64::from(capacity) * u64::from(head_dim) * ty.elem_bytes();
        Ok(KvCache {
            k: gpu.buffer("k_cache", bytes, Usage::Storage)?,
            v: gpu.buffer("v_cache", bytes, Usage::Storage)?,
            capacity,
            ty,
        })
    }
}

/// Rotary embedding: the table of cosines and sines, `(n_ctx, n_rot / 2)` pairs.
#[derive(Clone)]
pub struct Rope {
    pub kind: RopeKind,
    pub n_rot: u32,
    pub table: Rc<Buffer>,
}

/// RMSNorm of queries and keys.
#[derive(Clone, Copy)]
pub struct QkNormWeights<'a> {
    pub q: &'a Vector,
    pub k: &'a Vector,
    pub eps: f32,
    /// All heads of a token together, instead of each by itself.
    pub whole_row: bool,
}

/// The attention of a layer.
#[derive(Clone)]
pub struct Attention<'a> {
    pub n_head: u32,
    pub n_head_kv: u32,
    pub head_dim: u32,
    /// What scores are multiplied by: 1 / sqrt(head_dim), mostly.
    pub scale: f32,
    /// Positions attended to; `u32::MAX` for all.
    pub window: u32,
    pub rope: Option<&'a Rope>,
    /// `cap * tanh(score / cap)` of the scaled scores.
    pub softcap: Option<f32>,
    pub qk_norm: Option<QkNormWeights<'a>>,
    pub cache: &'a KvCache,
}

/// Decode's output before the splits are merged: `(n_head, N_SPLIT, head_dim + 4)`.
pub struct AttentionParts {
    pub(super) buffer: Rc<Buffer>,
    pub(super) state: Rc<Buffer>,
    n_head: u32,
    n_head_kv: u32,
    head_dim: u32,
}

/// Splits of the cache in decode: as many workgroups of a key-value head.
const N_SPLIT: u32 = 16;
/// Positions that a split is worth.
const MIN_SPLIT: u32 = 32;
/// Invocations of a workgroup of the attention kernels.
const WORKGROUP: u32 = 256;

impl AttentionParts {
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, step: &super::StepBuffers, n_head: u32, n_head_kv: u32, head_dim: u32) -> Result<Self> {
        let bytes = u64::from(n_head) * u64::from(N_SPLIT) * u64::from(head_dim + 4) * 4;
        let buffer = gpu.buffer("attention_parts", bytes, Usage::Storage)?;
        Ok(AttentionParts { buffer, state: step.state.clone(), n_head, n_head_kv, head_dim })
    }

    /// Elements of a row once merged.
    pub(super) fn width(&self) -> u32 {
        self.n_head * self.head_dim
    }

    pub(super) fn set(&self, kernel: Kernel, window: u32) -> Kernel {
        kernel
            .set("N_HEAD", self.n_head)
            .set("N_HEAD_KV", self.n_head_kv)
            .set("HEAD_DIM", self.head_dim)
            .set("N_SPLIT", N_SPLIT)
            .set("MIN_SPLIT", MIN_SPLIT)
            .set("WINDOW", window)
    }
}

impl<'a> Attention<'a> {
    pub(super) fn kernel(&self, name: &'static str, qkv: &Tensor) -> Kernel {
        Kernel::new(name)
            .slot("KV", self.cache.ty.slot())
            .set("N_HEAD", self.n_head)
            .set("N_HEAD_KV", self.n_head_kv)
            .set("HEAD_DIM", self.head_dim)
            .set("ROW_D4", qkv.stride() / 4)
            .set("CAPACITY", self.cache.capacity)
            .set("SCALE", self.scale)
            .set("WINDOW", self.window)
            .set("SOFTCAP", self.softcap.unwrap_or(0.0))
    }

    /// The slots, overrides and bindings of q/k norm and rotary embedding.
    fn with_rope(&self, kernel: Kernel, bindings: &mut Vec<Binding<'a>>) -> Kernel {
        let kernel = match self.rope {
            None => kernel.slot("ROPE", "none"),
            Some(rope) => {
                bindings.push(("rope", &rope.table));
                let kind = match rope.kind {
                    RopeKind::Interleaved => "interleaved",
                    RopeKind::HalfSplit => "half_split",
                };
                kernel.slot("ROPE", kind).set("N_ROT", rope.n_rot)
            }
        };
        match self.qk_norm {
            None => kernel.slot("QK_NORM", "none"),
            Some(n) => {
                bindings.extend([("q_norm", &n.q.buffer), ("k_norm", &n.k.buffer)]);
                kernel.slot("QK_NORM", if n.whole_row { "row" } else { "rms" }).set("QK_EPS", n.eps)
            }
        }
    }

    pub(super) fn bind_cache(&self, bindings: &mut Vec<Binding<'a>>) {
        bindings.extend([("k_cache", &self.cache.k), ("v_cache", &self.cache.v)]);
    }

    /// Query heads a workgroup of decode takes: as many as divide a key-value head's and fit.
    fn group(&self, lanes: u32) -> u32 {
        let per_kv = self.n_head / self.n_head_kv;
        let most = (WORKGROUP / lanes).min(WORKGROUP / (self.head_dim / 4));
        (1..=per_kv.min(most)).rev().find(|g| per_kv.is_multiple_of(*g)).unwrap_or(1)
    }
}

impl Recorder<'_> {
    /// Attention of the batch's heads in `qkv (T, (n_head + 2 n_head_kv) head_dim)`, which also puts k and v into
    /// the cache. The result is an input for the output projection: `out` in prefill, `parts` in decode.
    ///
    /// # Errors
    /// `UnsupportedArchitecture` where the heads' shape is beyond the kernels.
    pub fn attention<'o>(
        &mut self,
        a: &Attention<'_>,
        qkv: &Tensor,
        out: &'o Tensor,
        parts: &'o AttentionParts,
    ) -> Result<Input<'o>> {
        if !a.head_dim.is_multiple_of(4) || a.head_dim > 256 {
            bail!(UnsupportedArchitecture, "heads of {} elements; multiples of 4 up to 256 are supported", a.head_dim);
        }
        let lanes = self.gpu.caps.lanes();
        match self.phase {
            Phase::Decode => {
                let group = a.group(lanes);
                let mut bindings: Vec<Binding<'_>> =
                    vec![("qkv", &qkv.buffer), ("partials", &parts.buffer), ("state", &self.step.state)];
                let kernel = a.with_rope(a.kernel("attention_vec", qkv), &mut bindings);
                let kernel = kernel
                    .set("WG", WORKGROUP)
                    .set("LANES", lanes)
                    .set("GROUP", group)
                    .set("N_SPLIT", N_SPLIT)
                    .set("MIN_SPLIT", MIN_SPLIT);
                a.bind_cache(&mut bindings);
                let grid = Grid::xy(a.n_head / group, Extent::Fixed(N_SPLIT));
                self.dispatch("attention", &kernel, &bindings, grid)?;
                Ok(Input::Attention { parts, window: a.window })
            }
            Phase::Prefill => {
                self.rope_kv(a, qkv)?;
                let kernel = a.kernel("attention_tile", qkv).set("Y_STRIDE", out.stride());
                let mut bindings: Vec<Binding<'_>> =
                    vec![("qkv", &qkv.buffer), ("y", &out.buffer), ("state", &self.step.state)];
                a.bind_cache(&mut bindings);
                self.dispatch("attention", &kernel, &bindings, Grid::xy(a.n_head, self.per_tokens(16)))?;
                Ok(Input::Plain(out))
            }
        }
    }

    /// Norm and rotate q and k of `qkv (T, ..)` in place, and put k and v into the cache.
    pub(super) fn rope_kv(&mut self, a: &Attention<'_>, qkv: &Tensor) -> Result<()> {
        let lanes = self.gpu.caps.lanes();
        let workgroup = 64.max(lanes);
        let mut bindings: Vec<Binding<'_>> = vec![("qkv", &qkv.buffer), ("state", &self.step.state)];
        let kernel = a.with_rope(a.kernel("rope_kv", qkv), &mut bindings).set("WG", workgroup).set("LANES", lanes);
        a.bind_cache(&mut bindings);
        let heads = (a.n_head + a.n_head_kv).div_ceil(workgroup / lanes);
        self.dispatch("rope_kv", &kernel, &bindings, Grid::xy(heads, self.per_tokens(1)))
    }
}
