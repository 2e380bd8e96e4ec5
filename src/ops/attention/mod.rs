//! Attention over the KV cache, with what goes right before it: q/k norms, rotary embedding, cache store.

pub mod reference;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::{Op, Phase, Recorder, Tensor, Tuning, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Allocate, Binding, Buffer, Extent, Gpu, Grid, Kernel, Usage};

wgsl_exports!("attention");

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
#[allow(non_camel_case_types, reason = "the exact ggml names")]
pub enum KvType {
    F32,
    F16,
    /// Blocks of 32 codes with a scale, an f32 here.
    Q8_0,
}

impl KvType {
    pub const ALL: [KvType; 3] = [KvType::F32, KvType::F16, KvType::Q8_0];

    /// What a device caches in by default: f16, in half the memory, where the device is made for it.
    #[must_use]
    pub fn default_on(gpu: &Gpu) -> Self {
        if gpu.caps.f16 { KvType::F16 } else { KvType::F32 }
    }

    /// `f32`, as options and the slot `KV` name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            KvType::F32 => "f32",
            KvType::F16 => "f16",
            KvType::Q8_0 => "q8_0",
        }
    }

    /// # Errors
    /// `InvalidArgument` where there is no such type.
    pub fn from_name(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|ty| ty.name() == name) {
            Some(ty) => Ok(ty),
            None => bail!(InvalidArgument, "kv_type is '{name}'; {} are allowed", Self::ALL.map(Self::name).join(", ")),
        }
    }

    /// # Errors
    /// `InvalidArgument` where heads are not whole blocks of the type.
    pub fn check(self, head_dim: u32) -> Result<()> {
        if self == KvType::Q8_0 && !head_dim.is_multiple_of(32) {
            bail!(
                InvalidArgument,
                "kv_type 'q8_0' needs heads of multiples of 32 elements; the model's have {head_dim}"
            );
        }
        Ok(())
    }

    /// Bytes of `n` elements, whole blocks of them.
    #[must_use]
    pub fn bytes(self, n: u64) -> u64 {
        match self {
            KvType::F32 => 4 * n,
            KvType::F16 => 2 * n,
            KvType::Q8_0 => n + n / 32 * 4,
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
    /// `InvalidArgument` where the heads are not whole blocks of the type; as [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, ty: KvType, n_head_kv: u32, capacity: u32, head_dim: u32) -> Result<Self> {
        ty.check(head_dim)?;
        let bytes = ty.bytes(u64::from(n_head_kv) * u64::from(capacity) * u64::from(head_dim));
        Ok(KvCache {
            k: from.buffer("k_cache", bytes, Usage::Storage)?,
            v: from.buffer("v_cache", bytes, Usage::Storage)?,
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
    pub of: Normed,
}

/// What a norm of queries and keys is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normed {
    /// Each head by itself, before it is rotated.
    Head,
    /// The same after the rotation, of half splits.
    RotatedHead,
    /// All heads of a token together.
    Row,
}

/// Queries at position `pos` are scaled by `1 + scale ln(floor(pos / n_ctx_orig) + 1)`, for attention to stay as sharp over more
/// positions (Llama 4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Temperature {
    pub scale: f32,
    pub n_ctx_orig: u32,
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
    /// Without a norm, with interleaved rotation.
    pub temperature: Option<Temperature>,
    /// Whether a head's output is multiplied with the sigmoid of a gate of its own. With norms of heads and a rotation of half
    /// splits.
    pub gated: bool,
    pub cache: &'a KvCache,
}

/// Decode's output before the splits are merged.
#[derive(Clone)]
pub struct AttentionParts {
    buffer: Rc<Buffer>,
}

impl AttentionParts {
    /// Room for as many splits as any device makes.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, n_head: u32, head_dim: u32) -> Result<Self> {
        let bytes = u64::from(n_head) * u64::from(Tuning::most_splits(n_head)) * u64::from(head_dim + 4) * 4;
        Ok(AttentionParts { buffer: from.buffer("attention_parts", bytes, Usage::Storage)? })
    }
}

impl<'a> Attention<'a> {
    /// Elements of a token's row: the heads of q, k and v, and the gates.
    #[must_use]
    pub fn row(&self) -> u32 {
        (self.n_head + 2 * self.n_head_kv + if self.gated { self.n_head } else { 0 }) * self.head_dim
    }

    fn gate(&self) -> &'static str {
        if self.gated { "sigmoid" } else { "none" }
    }

    /// A kernel that works on heads.
    fn kernel(&self, name: &'static str) -> Kernel {
        Kernel::new(name).set("N_HEAD", self.n_head).set("N_HEAD_KV", self.n_head_kv).set("HEAD_DIM", self.head_dim)
    }

    /// A kernel that works on the heads in `qkv` and on the cache.
    fn kernel_of(&self, name: &'static str, qkv: &'a Tensor, bindings: &mut Vec<Binding<'a>>) -> Kernel {
        bindings.extend([("qkv", &qkv.buffer), ("k_cache", &self.cache.k), ("v_cache", &self.cache.v)]);
        let kernel = self.kernel(name).slot("KV", self.cache.ty.name()).set("CAPACITY", self.cache.capacity);
        kernel.set("ROW_D4", qkv.stride() / 4)
    }

    /// As [`Attention::kernel_of`], one that computes scores, too.
    fn scoring(&self, name: &'static str, qkv: &'a Tensor, bindings: &mut Vec<Binding<'a>>) -> Kernel {
        let kernel = self.kernel_of(name, qkv, bindings).set("WINDOW", self.window);
        kernel.set("SCALE", self.scale).set("SOFTCAP", self.softcap.unwrap_or(0.0))
    }

    /// The slots, overrides and bindings of q/k norm and rotary embedding.
    fn with_rope(&self, kernel: Kernel, bindings: &mut Vec<Binding<'a>>) -> Kernel {
        let kernel = match self.rope {
            None => kernel.slot("ROPE", "none"),
            Some(rope) => {
                bindings.push(("rope", &rope.table));
                let after = self.qk_norm.is_some_and(|n| n.of == Normed::RotatedHead);
                let kind = match rope.kind {
                    RopeKind::Interleaved => "interleaved",
                    RopeKind::HalfSplit if after => "half_split_then_norm",
                    RopeKind::HalfSplit => "half_split",
                };
                kernel.slot("ROPE", kind).set("N_ROT", rope.n_rot)
            }
        };
        match (self.qk_norm, self.temperature) {
            (None, None) => kernel.slot("QK_NORM", "none"),
            (None, Some(Temperature { scale, n_ctx_orig })) => {
                kernel.slot("QK_NORM", "temperature").set("TEMPERATURE", scale).set("N_CTX_ORIG", n_ctx_orig)
            }
            (Some(n), _) => {
                bindings.extend([("q_norm", &n.q.buffer), ("k_norm", &n.k.buffer)]);
                let of = match n.of {
                    Normed::Head => "rms",
                    Normed::RotatedHead => "rms_of_rotated",
                    Normed::Row => "row",
                };
                kernel.slot("QK_NORM", of).set("QK_EPS", n.eps)
            }
        }
    }
}

impl Recorder<'_> {
    /// Attention of the batch's heads in `qkv (T, (n_head + 2 n_head_kv) head_dim)`, into `out (T, n_head head_dim)`; also puts k and v
    /// into the cache. Gated attention has `n_head head_dim` gates at the end of each row of `qkv`. `parts` is scratch.
    ///
    /// # Errors
    /// `UnsupportedArchitecture` where the heads' shape is beyond the kernels.
    pub fn attention(&mut self, a: &Attention<'_>, qkv: &Tensor, out: &Tensor, parts: &AttentionParts) -> Result<()> {
        if !a.head_dim.is_multiple_of(4) || a.head_dim > 256 {
            bail!(UnsupportedArchitecture, "heads of {} elements; multiples of 4 up to 256 are supported", a.head_dim);
        }
        self.observed(&Op::Attention { a, qkv, out }, |r| r.attention_kernels(a, qkv, out, parts))
    }

    fn attention_kernels(
        &mut self,
        a: &Attention<'_>,
        qkv: &Tensor,
        out: &Tensor,
        parts: &AttentionParts,
    ) -> Result<()> {
        match self.phase {
            Phase::Decode { far } => {
                let t = self.tuning;
                let workgroup = t.attention_workgroup.max(a.head_dim / 4);
                let n_split = if far { t.n_split(a.n_head) } else { 1 };
                // Few workgroups are at work unless the cache is split: a wide head gets more of them then.
                let slices = if far || t.software || !a.head_dim.is_multiple_of(64) { 1 } else { a.head_dim / 64 };
                let split = |kernel: Kernel| kernel.set("N_SPLIT", n_split).set("MIN_SPLIT", t.min_split);
                let y = if far { &parts.buffer } else { &out.buffer };
                let mut bindings: Vec<Binding<'_>> = vec![("y", y), ("batch", &self.batch.place)];
                let kernel = a.scoring("attention/vec", qkv, &mut bindings).slot("GATE", a.gate());
                let kernel = a.with_rope(split(kernel), &mut bindings);
                let kernel = kernel.set("WG", workgroup).set("LANES", t.key_lanes(a.head_dim)).set("SLICES", slices);
                let grid = Grid { z: slices, ..Grid::xy(a.n_head, Extent::Fixed(n_split)) };
                self.dispatch("attention", &kernel, &bindings, grid)?;
                if !far {
                    return Ok(());
                }
                let kernel = split(a.kernel("attention/merge")).set("WINDOW", a.window).slot("GATE", a.gate());
                let mut kernel = kernel.set("WG", workgroup.max(n_split)).set("LANES", n_split);
                let mut bindings = vec![("partials", &parts.buffer), ("y", &out.buffer), ("batch", &self.batch.place)];
                if a.gated {
                    kernel = kernel.set("ROW_D4", qkv.stride() / 4);
                    bindings.push(("qkv", &qkv.buffer));
                }
                self.dispatch("attention_merge", &kernel, &bindings, Grid::x(a.n_head))
            }
            Phase::Prefill => {
                self.rope_kv(a, qkv)?;
                let mut bindings: Vec<Binding<'_>> = vec![("y", &out.buffer), ("batch", &self.batch.place)];
                let kernel =
                    a.scoring("attention/tile", qkv, &mut bindings).slot("SPAN", "causal").slot("GATE", a.gate());
                let kernel = kernel.set("Y_STRIDE", out.stride());
                self.dispatch("attention", &kernel, &bindings, Grid::xy(a.n_head, self.per_rows(TILE_TOKENS)))
            }
        }
    }

    /// Norm and rotate q and k of `qkv (T, ..)` in place, and put k and v into the cache.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn rope_kv(&mut self, a: &Attention<'_>, qkv: &Tensor) -> Result<()> {
        let lanes = self.tuning.lanes;
        let mut a = a.clone();
        if let Some(norm) = a.qk_norm.take_if(|norm| norm.of == Normed::Row) {
            let kernel = a.kernel("attention/qk_norm_row").set("ROW_D4", qkv.stride() / 4).set("QK_EPS", norm.eps);
            let kernel = kernel.set("WG", lanes).set("LANES", lanes);
            let bindings = [("qkv", &qkv.buffer), ("q_norm", &norm.q.buffer), ("k_norm", &norm.k.buffer)];
            self.dispatch("qk_norm", &kernel, &bindings, Grid::xy(2, self.per_rows(1)))?;
        }
        let workgroup = 64.max(lanes);
        let mut bindings: Vec<Binding<'_>> = vec![("batch", &self.batch.place)];
        let kernel = a.kernel_of("attention/rope_kv", qkv, &mut bindings);
        let kernel = a.with_rope(kernel, &mut bindings).set("WG", workgroup).set("LANES", lanes);
        let heads = (a.n_head + a.n_head_kv).div_ceil(workgroup / lanes);
        self.dispatch("rope_kv", &kernel, &bindings, Grid::xy(heads, self.per_rows(1)))
    }

    /// Scores and probabilities `(n_head T, n_pos)` of rotated heads, with a cache of `n_pos` positions: what the fused
    /// kernels keep in registers.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn attention_scores(
        &mut self,
        a: &Attention<'_>,
        qkv: &Tensor,
        [kq, soft_max]: [&Rc<Buffer>; 2],
        n_pos: u32,
    ) -> Result<()> {
        let mut bindings = vec![("kq", kq), ("kq_soft_max", soft_max), ("batch", &self.batch.place)];
        let kernel = a.scoring("attention/scores", qkv, &mut bindings).set("N_POS", n_pos);
        let grid = Grid::xy(a.n_head.div_ceil(ELEMENT_WG), self.per_rows(1));
        self.dispatch("attention_scores", &kernel, &bindings, grid)
    }
}
