//! The weights of a model: which tensors there must be, with which shapes, and where each goes on the GPU.

use std::collections::HashSet;
use std::rc::Rc;

use super::config::{Ffn, ModelConfig, Norm, QkNorm};
use crate::error::{Result, bail};
use crate::gguf::{GgmlType, Gguf, TensorInfo};
use crate::gpu::{Buffer, Gpu, Usage};
use crate::ops::{ExpertMatrix, KvType, Matrix, Tensor, Vector, WeightLayout, n_groups};

/// Weight and, for LayerNorm, bias of a norm.
pub struct NormWeights {
    pub weight: Vector,
    pub bias: Option<Vector>,
}

/// A matrix and its bias, where it has one.
pub struct Linear {
    pub weight: Rc<Matrix>,
    pub bias: Option<Vector>,
}

/// The weights of a feed-forward block.
pub enum FfnWeights {
    Gated {
        gate_up: GateUp,
        ffn_down: Linear,
    },
    /// `(F, C)` and `(C, F)`
    Plain {
        ffn_up: Linear,
        ffn_down: Linear,
    },
    Experts(ExpertWeights),
}

/// Gate and up of a gated block.
pub enum GateUp {
    /// Their rows in turn, `(2 F, C)`.
    Alternating(Rc<Matrix>),
    /// Of different types or with biases, `(F, C)` each.
    Apart { ffn_gate: Linear, ffn_up: Linear },
}

/// A mixture of E experts.
pub struct ExpertWeights {
    /// The router, `(E, C)`.
    pub ffn_gate_inp: Rc<Matrix>,
    /// The rows of gate and up in turn, `(E, 2 F, C)`.
    pub ffn_gate_up_exps: ExpertMatrix,
    /// `(E, C, F)`
    pub ffn_down_exps: ExpertMatrix,
}

/// The weights of a layer, named as in GGUF.
pub struct Layer {
    pub attn_norm: Option<NormWeights>,
    /// q, k and v, one below the other: `((H + 2 KvH) D, C)`.
    pub attn_qkv: Linear,
    /// Of each head `(D)`, or of the row `(H D)` and `(KvH D)`.
    pub attn_q_norm: Option<Vector>,
    pub attn_k_norm: Option<Vector>,
    /// `(C, H D)`
    pub attn_output: Linear,
    /// Of the block's output, `(C)`.
    pub attn_post_norm: Option<Vector>,
    pub ffn_norm: Option<NormWeights>,
    pub ffn: FfnWeights,
    /// Of the block's output, `(C)`.
    pub ffn_post_norm: Option<Vector>,
}

/// All weights, on the GPU.
pub struct Weights {
    /// `(V, C)`
    pub token_embd: Rc<Matrix>,
    /// `(n_ctx, C)`, where positions are learned.
    pub position_embd: Option<Rc<Matrix>>,
    pub layers: Vec<Layer>,
    pub output_norm: NormWeights,
    /// `(V, C)`; the embedding itself where the file has no `output.weight`.
    pub output: Rc<Matrix>,
    /// `(1, V)`, where the file has it.
    pub output_bias: Option<Tensor>,
}

/// Where a tensor's data goes.
pub enum Destination {
    /// Row `r` of the tensor is row `row0 + step * r` of the matrix.
    Rows { matrix: Rc<Matrix>, row0: u32, step: u32 },
    /// F32, copied as it is.
    Bytes { buffer: Rc<Buffer>, at_bytes: u64 },
}

/// A tensor to be loaded.
pub struct Load {
    pub tensor: TensorInfo,
    pub destination: Destination,
}

/// What a model takes of GPU memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bytes {
    pub weights: u64,
    pub kv_cache: u64,
    /// Activations of a batch, logits and the rotary table.
    pub activations: u64,
    /// The largest buffer, of those that are not cut into several where they are too large for the device.
    pub largest_buffer: u64,
}

impl Bytes {
    /// The need of a model with `n_ctx` positions and batches of `n_batch` tokens.
    ///
    /// # Errors
    /// `UnsupportedTensorType` naming a tensor there are no kernels for; `MalformedGguf` naming one of an absurd size.
    pub fn of(gguf: &Gguf, c: &ModelConfig, n_ctx: u32, n_batch: u32, kv: KvType) -> Result<Self> {
        let mut weights = 0u64;
        for t in &gguf.tensors {
            let (Ok(rows), Ok(cols)) = (u32::try_from(t.rows()), u32::try_from(t.cols())) else {
                bail!(MalformedGguf, "tensor '{}' has shape {:?}, up to {} is allowed", t.name, t.shape, u32::MAX);
            };
            weights = weights.saturating_add(layout(t)?.bytes(rows, cols));
        }
        let row = |n: u32| u64::from(n_groups(n)) * 64;
        let per_token = 2 * row(c.n_embd) + row(c.n_qkv()) + row(c.n_head * c.head_dim);
        let router = match c.ffn {
            Ffn::Experts { n_expert, n_used } => row(n_expert) + u64::from(n_used) * 8,
            Ffn::Gated(_) | Ffn::Gelu => 0,
        };
        let per_token = per_token + u64::from(c.ffn_rows()) * row(c.n_ff) + router;
        let positions: u64 = c.layers.iter().map(|l| u64::from(c.kv_capacity(l, n_ctx, n_batch))).sum();
        let ropes = || c.ropes.iter().map(|r| u64::from(n_ctx) * u64::from(r.n_rot) * 4);
        let rope: u64 = ropes().sum();
        let capacity = c.layers.iter().map(|l| c.kv_capacity(l, n_ctx, n_batch)).max().unwrap_or(0);
        let widest = row(c.n_qkv()).max(row(c.n_embd)).max(u64::from(c.ffn_rows()) * row(c.n_ff));
        let single = [
            kv.bytes(u64::from(capacity) * u64::from(c.n_head_kv * c.head_dim)),
            ropes().max().unwrap_or(0),
            u64::from(n_batch) * widest,
            row(c.n_vocab),
            largest_expert(gguf, c)?,
        ];
        Ok(Bytes {
            largest_buffer: single.into_iter().max().unwrap_or(0),
            weights,
            kv_cache: 2 * kv.bytes(positions * u64::from(c.n_head_kv * c.head_dim)),
            activations: u64::from(n_batch) * per_token + row(c.n_vocab) + rope,
        })
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.weights.saturating_add(self.kv_cache).saturating_add(self.activations)
    }
}

/// Bytes of the largest matrix of an expert, gate and up as one: it stays in one buffer.
fn largest_expert(gguf: &Gguf, c: &ModelConfig) -> Result<u64> {
    let Ffn::Experts { .. } = c.ffn else { return Ok(0) };
    let mut largest = 0;
    for t in &gguf.tensors {
        let shape = if t.name.ends_with("_gate_exps.weight") {
            (2 * c.n_ff, c.n_embd)
        } else if t.name.ends_with("_down_exps.weight") {
            (c.n_embd, c.n_ff)
        } else {
            continue;
        };
        largest = largest.max(layout(t)?.bytes(shape.0, shape.1));
    }
    Ok(largest)
}

fn layout(t: &TensorInfo) -> Result<WeightLayout> {
    match WeightLayout::of(t.ty) {
        Some(layout) => Ok(layout),
        None => bail!(
            UnsupportedTensorType,
            "tensor '{}' has type {}; supported are {}",
            t.name,
            t.ty,
            WeightLayout::supported()
        ),
    }
}

/// Allocates what the tensors need and notes where each goes.
struct Builder<'a> {
    gpu: &'a Gpu,
    gguf: &'a Gguf,
    loads: Vec<Load>,
    used: HashSet<&'a str>,
}

impl<'a> Builder<'a> {
    /// The tensor, which must be there with this shape, outermost dimension first.
    fn tensor(&mut self, name: &str, shape: &[u32]) -> Result<&'a TensorInfo> {
        let t = self.gguf.require(name)?;
        if !t.shape.iter().copied().eq(shape.iter().map(|&d| u64::from(d))) {
            bail!(MalformedGguf, "tensor '{name}' has shape {:?}, {shape:?} is needed", t.shape);
        }
        layout(t)?;
        self.used.insert(&t.name);
        Ok(t)
    }

    /// Vectors one after the other, each `(name, len)`; those that the file lacks are zeros.
    fn vectors_opt(&mut self, parts: &[(String, u32)]) -> Result<Vector> {
        let len = parts.iter().map(|p| p.1).sum();
        let buffer = self.gpu.buffer(&parts[0].0, u64::from(n_groups(len)) * 64, Usage::Storage)?;
        let mut at_bytes = 0;
        for (name, len) in parts {
            if self.gguf.tensor(name).is_some() {
                let t = self.tensor(name, &[*len])?;
                if t.ty != GgmlType::F32 {
                    bail!(UnsupportedTensorType, "tensor '{name}' has type {}; vectors must be F32", t.ty);
                }
                let destination = Destination::Bytes { buffer: buffer.clone(), at_bytes };
                self.loads.push(Load { tensor: t.clone(), destination });
            }
            at_bytes += u64::from(*len) * 4;
        }
        Ok(Vector { buffer, len })
    }

    fn vector(&mut self, name: &str, len: u32) -> Result<Vector> {
        self.gguf.require(name)?;
        self.vectors_opt(&[(name.to_owned(), len)])
    }

    /// The vector, where the file has it.
    fn vector_opt(&mut self, name: &str, len: u32) -> Result<Option<Vector>> {
        if self.gguf.tensor(name).is_some() { self.vector(name, len).map(Some) } else { Ok(None) }
    }

    fn norm(&mut self, name: &str, c: &ModelConfig) -> Result<NormWeights> {
        let bias = match c.norm {
            Norm::Rms { .. } => None,
            Norm::Layer { .. } => Some(self.vector(&format!("{name}.bias"), c.n_embd)?),
        };
        Ok(NormWeights { weight: self.vector(&format!("{name}.weight"), c.n_embd)?, bias })
    }

    /// A matrix of tensors one below the other, each `(name, rows)`.
    fn stacked(&mut self, tensors: &[(String, u32)], cols: u32) -> Result<Rc<Matrix>> {
        let mut infos = Vec::new();
        for (name, rows) in tensors {
            infos.push((self.tensor(name, &[*rows, cols])?, *rows));
        }
        let runs: Vec<(GgmlType, u32)> = infos.iter().map(|(t, rows)| (t.ty, *rows)).collect();
        let matrix = Rc::new(Matrix::new(self.gpu, &tensors[0].0, &runs, cols)?);
        let mut row0 = 0;
        for (t, rows) in infos {
            let destination = Destination::Rows { matrix: matrix.clone(), row0, step: 1 };
            self.loads.push(Load { tensor: t.clone(), destination });
            row0 += rows;
        }
        Ok(matrix)
    }

    /// Gate and up with their rows in turn, of which `unit` stay together.
    fn alternating(&mut self, [gate, up]: [&TensorInfo; 2], unit: u32, cols: u32) -> Result<Rc<Matrix>> {
        let rows = (gate.rows() + up.rows()) as u32;
        let matrix = Rc::new(Matrix::in_units(self.gpu, &gate.name, &[(gate.ty, rows)], cols, unit)?);
        for (t, row0) in [gate, up].into_iter().zip(0..) {
            let destination = Destination::Rows { matrix: matrix.clone(), row0, step: 2 };
            self.loads.push(Load { tensor: t.clone(), destination });
        }
        Ok(matrix)
    }

    /// Gate and up of a gated block: two tensors, or one with the rows of gate above those of up.
    fn gate_up(&mut self, blk: &str, c: &ModelConfig) -> Result<GateUp> {
        let names = ["gate", "up"].map(|n| format!("{blk}.ffn_{n}.weight"));
        if self.gguf.tensor(&names[0]).is_none() {
            let both = self.tensor(&names[1], &[2 * c.n_ff, c.n_embd])?;
            let (gate, up) = both.split_rows(c.n_ff.into())?;
            return Ok(GateUp::Alternating(self.alternating([&gate, &up], 2, c.n_embd)?));
        }
        let [gate, up] = [self.tensor(&names[0], &[c.n_ff, c.n_embd])?, self.tensor(&names[1], &[c.n_ff, c.n_embd])?];
        let has_bias = |n: &str| self.gguf.tensor(&format!("{blk}.ffn_{n}.bias")).is_some();
        if gate.ty == up.ty && !has_bias("gate") && !has_bias("up") {
            return Ok(GateUp::Alternating(self.alternating([gate, up], 2, c.n_embd)?));
        }
        let [ffn_gate, ffn_up] = ["gate", "up"].map(|n| self.linear(&format!("{blk}.ffn_{n}"), c.n_ff, c.n_embd));
        Ok(GateUp::Apart { ffn_gate: ffn_gate?, ffn_up: ffn_up? })
    }

    /// The matrices of experts, which the file has as one tensor `(E, N, K)` each.
    fn experts(&mut self, blk: &str, c: &ModelConfig, n_expert: u32) -> Result<ExpertWeights> {
        let name = |n: &str| format!("{blk}.ffn_{n}_exps.weight");
        let [gate, up] = [name("gate"), name("up")].map(|n| self.tensor(&n, &[n_expert, c.n_ff, c.n_embd]));
        let (gate, up) = (gate?, up?);
        if gate.ty != up.ty {
            bail!(
                UnsupportedTensorType,
                "tensors '{}' and '{}' have types {} and {}; those of experts must be the same",
                gate.name,
                up.name,
                gate.ty,
                up.ty
            );
        }
        let gate_up = self.alternating([gate, up], 2 * c.n_ff, c.n_embd)?;
        let down = self.tensor(&name("down"), &[n_expert, c.n_embd, c.n_ff])?;
        let runs = [(down.ty, n_expert * c.n_embd)];
        let matrix = Rc::new(Matrix::in_units(self.gpu, &down.name, &runs, c.n_ff, c.n_embd)?);
        let destination = Destination::Rows { matrix: matrix.clone(), row0: 0, step: 1 };
        self.loads.push(Load { tensor: down.clone(), destination });
        Ok(ExpertWeights {
            ffn_gate_inp: self.stacked(&[(format!("{blk}.ffn_gate_inp.weight"), n_expert)], c.n_embd)?,
            ffn_gate_up_exps: ExpertMatrix { matrix: gate_up, n_expert },
            ffn_down_exps: ExpertMatrix { matrix, n_expert },
        })
    }

    fn ffn(&mut self, blk: &str, c: &ModelConfig) -> Result<FfnWeights> {
        let down = |b: &mut Self| b.linear(&format!("{blk}.ffn_down"), c.n_embd, c.n_ff);
        Ok(match c.ffn {
            Ffn::Gated(_) => FfnWeights::Gated { gate_up: self.gate_up(blk, c)?, ffn_down: down(self)? },
            Ffn::Gelu => FfnWeights::Plain {
                ffn_up: self.linear(&format!("{blk}.ffn_up"), c.n_ff, c.n_embd)?,
                ffn_down: down(self)?,
            },
            Ffn::Experts { n_expert, .. } => FfnWeights::Experts(self.experts(blk, c, n_expert)?),
        })
    }

    /// `<name>.weight` with `<name>.bias` where the file has it.
    fn linear(&mut self, name: &str, rows: u32, cols: u32) -> Result<Linear> {
        let weight = self.stacked(&[(format!("{name}.weight"), rows)], cols)?;
        Ok(Linear { weight, bias: self.vector_opt(&format!("{name}.bias"), rows)? })
    }

    fn attn_qkv(&mut self, blk: &str, c: &ModelConfig) -> Result<Linear> {
        let (q, kv) = (c.n_head * c.head_dim, c.n_head_kv * c.head_dim);
        let fused = |suffix: &str| vec![(format!("{blk}.attn_qkv.{suffix}"), q + 2 * kv)];
        let apart = |suffix: &str| {
            [("q", q), ("k", kv), ("v", kv)].map(|(n, rows)| (format!("{blk}.attn_{n}.{suffix}"), rows)).to_vec()
        };
        let has = |parts: &[(String, u32)]| parts.iter().any(|(name, _)| self.gguf.tensor(name).is_some());
        let [weight, bias] =
            ["weight", "bias"].map(|suffix| if has(&fused(suffix)) { fused(suffix) } else { apart(suffix) });
        let has_bias = has(&bias);
        let weight = self.stacked(&weight, c.n_embd)?;
        Ok(Linear { weight, bias: if has_bias { Some(self.vectors_opt(&bias)?) } else { None } })
    }

    fn layer(&mut self, i: u32, c: &ModelConfig) -> Result<Layer> {
        let blk = format!("blk.{i}");
        let (q_norm_len, k_norm_len) = match c.qk_norm {
            QkNorm::Row => (c.n_head * c.head_dim, c.n_head_kv * c.head_dim),
            QkNorm::None | QkNorm::Head => (c.head_dim, c.head_dim),
        };
        let has_qk_norm = c.qk_norm != QkNorm::None;
        let norm = |b: &mut Self, name: &str| match c.pre_norm {
            true => b.norm(&format!("{blk}.{name}"), c).map(Some),
            false => Ok(None),
        };
        let qk_norm = |b: &mut Self, name: &str, len| match has_qk_norm {
            true => b.vector(&format!("{blk}.{name}.weight"), len).map(Some),
            false => Ok(None),
        };
        Ok(Layer {
            attn_norm: norm(self, "attn_norm")?,
            attn_qkv: self.attn_qkv(&blk, c)?,
            attn_q_norm: qk_norm(self, "attn_q_norm", q_norm_len)?,
            attn_k_norm: qk_norm(self, "attn_k_norm", k_norm_len)?,
            attn_output: self.linear(&format!("{blk}.attn_output"), c.n_embd, c.n_head * c.head_dim)?,
            attn_post_norm: self.vector_opt(&format!("{blk}.post_attention_norm.weight"), c.n_embd)?,
            ffn_norm: norm(self, "ffn_norm")?,
            ffn: self.ffn(&blk, c)?,
            ffn_post_norm: self.vector_opt(&format!("{blk}.post_ffw_norm.weight"), c.n_embd)?,
        })
    }
}

impl Weights {
    /// Room on the GPU for the weights of the file, still zero, and the loads that fill it, in file order.
    ///
    /// # Errors
    /// `MalformedGguf` naming a tensor that is missing, unknown or of the wrong shape; as [`Matrix::new`].
    pub fn allocate(gpu: &Gpu, gguf: &Gguf, c: &ModelConfig) -> Result<(Self, Vec<Load>)> {
        let mut b = Builder { gpu, gguf, loads: Vec::new(), used: HashSet::new() };
        let token_embd = b.stacked(&[("token_embd.weight".to_owned(), c.n_vocab)], c.n_embd)?;
        let position_embd = match c.learned_positions {
            true => Some(b.stacked(&[("position_embd.weight".to_owned(), c.n_ctx_train)], c.n_embd)?),
            false => None,
        };
        let mut layers = Vec::new();
        for i in 0..c.n_layer() {
            layers.push(b.layer(i, c)?);
        }
        let output_norm = b.norm("output_norm", c)?;
        let output = match gguf.tensor("output.weight") {
            Some(_) => b.stacked(&[("output.weight".to_owned(), c.n_vocab)], c.n_embd)?,
            None => token_embd.clone(),
        };
        // One that a scale or a soft cap would have to act on is in no known file.
        let plain_logits = c.logit_scale == 1.0 && c.logit_softcap.is_none();
        let output_bias = if plain_logits { b.vector_opt("output.bias", c.n_vocab)? } else { None };
        let output_bias = output_bias.map(|v| Tensor { buffer: v.buffer, width: v.len });
        // Read by the host, into the rotary table.
        b.used.extend([ROPE_FREQS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT]);
        if let Some(unknown) = gguf.tensors.iter().find(|t| !b.used.contains(t.name.as_str())) {
            bail!(
                UnsupportedArchitecture,
                "tensor '{}' is not part of architecture '{}' as it is supported",
                unknown.name,
                c.arch
            );
        }
        let mut loads = b.loads;
        loads.sort_by_key(|l| l.tensor.file_range.start);
        Ok((Weights { token_embd, position_embd, layers, output_norm, output, output_bias }, loads))
    }
}

/// Divisors of the rotary frequencies, one a pair (Llama 3.1).
pub const ROPE_FREQS: &str = "rope_freqs.weight";
/// The same for contexts beyond the original one, and up to it (LongRoPE, arXiv:2402.13753).
pub const ROPE_FACTORS_LONG: &str = "rope_factors_long.weight";
pub const ROPE_FACTORS_SHORT: &str = "rope_factors_short.weight";
