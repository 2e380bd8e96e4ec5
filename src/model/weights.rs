//! The weights of a model: which tensors there must be, with which shapes, and where each goes on the GPU.

use std::collections::HashSet;
use std::rc::Rc;

use super::config::{Ffn, ModelConfig, Norm, Positions};
use crate::error::{Result, bail};
use crate::gguf::{GgmlType, Gguf, TensorInfo};
use crate::gpu::{Buffer, Gpu, Usage};
use crate::ops::{KvType, Matrix, Vector, WeightLayout, n_groups};

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

/// The weights of a layer, named as in GGUF.
pub struct Layer {
    pub attn_norm: NormWeights,
    /// q, k and v, one below the other: `((H + 2 KvH) D, C)`.
    pub attn_qkv: Linear,
    /// `(C, H D)`
    pub attn_output: Linear,
    pub ffn_norm: NormWeights,
    /// `(F, C)`; of a gated block the rows of gate and up in turn, `(2 F, C)`.
    pub ffn_up: Linear,
    /// `(C, F)`
    pub ffn_down: Linear,
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
}

impl Bytes {
    /// The need of a model with `n_ctx` positions and batches of `n_batch` tokens.
    ///
    /// # Errors
    /// `UnsupportedTensorType` naming a tensor there are no kernels for.
    pub fn of(gguf: &Gguf, c: &ModelConfig, n_ctx: u32, n_batch: u32, kv: KvType) -> Result<Self> {
        let mut weights = 0;
        for t in &gguf.tensors {
            weights += layout(t)?.bytes(t.rows() as u32, t.cols() as u32);
        }
        let row = |n: u32| u64::from(n_groups(n)) * 64;
        let per_token = row(c.n_embd) * 2
            + row((c.n_head + 2 * c.n_head_kv) * c.head_dim)
            + row(c.n_head * c.head_dim)
            + row(c.n_ff);
        Ok(Bytes {
            weights,
            kv_cache: u64::from(c.n_layer)
                * 2
                * u64::from(c.n_head_kv)
                * u64::from(n_ctx)
                * u64::from(c.head_dim)
                * kv.elem_bytes(),
            activations: u64::from(n_batch) * per_token
                + row(c.n_vocab)
                + match &c.positions {
                    Positions::Learned => 0,
                    Positions::Rope(r) => u64::from(n_ctx) * u64::from(r.n_rot) * 4,
                },
        })
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.weights + self.kv_cache + self.activations
    }
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

    fn vector(&mut self, parts: &[(String, u32)]) -> Result<Vector> {
        let len = parts.iter().map(|p| p.1).sum();
        let buffer = self.gpu.buffer(&parts[0].0, u64::from(n_groups(len)) * 64, Usage::Storage)?;
        let mut at_bytes = 0;
        for (name, len) in parts {
            let t = self.tensor(name, &[*len])?;
            if t.ty != GgmlType::F32 {
                bail!(UnsupportedTensorType, "tensor '{name}' has type {}; vectors must be F32", t.ty);
            }
            self.loads
                .push(Load { tensor: t.clone(), destination: Destination::Bytes { buffer: buffer.clone(), at_bytes } });
            at_bytes += u64::from(*len) * 4;
        }
        Ok(Vector { buffer, len })
    }

    fn norm(&mut self, name: &str, kind: Norm, n_embd: u32) -> Result<NormWeights> {
        let bias = match kind {
            Norm::Rms { .. } => None,
            Norm::Layer { .. } => Some(self.vector(&[(format!("{name}.bias"), n_embd)])?),
        };
        Ok(NormWeights { weight: self.vector(&[(format!("{name}.weight"), n_embd)])?, bias })
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

    /// Gate and up with their rows in turn.
    fn alternating(&mut self, gate: &str, up: &str, rows: u32, cols: u32) -> Result<Rc<Matrix>> {
        let tensors = [self.tensor(gate, &[rows, cols])?, self.tensor(up, &[rows, cols])?];
        let ty = tensors[0].ty;
        if tensors[1].ty != ty {
            bail!(
                UnsupportedTensorType,
                "tensors '{gate}' and '{up}' have types {ty} and {}; they must be the same",
                tensors[1].ty
            );
        }
        let matrix = Rc::new(Matrix::new(self.gpu, gate, &[(ty, 2 * rows)], cols)?);
        for (t, row0) in tensors.into_iter().zip(0..) {
            let destination = Destination::Rows { matrix: matrix.clone(), row0, step: 2 };
            self.loads.push(Load { tensor: t.clone(), destination });
        }
        Ok(matrix)
    }

    /// `<name>.weight` with `<name>.bias` where the file has it.
    fn linear(&mut self, name: &str, rows: u32, cols: u32) -> Result<Linear> {
        let weight = self.stacked(&[(format!("{name}.weight"), rows)], cols)?;
        let bias = format!("{name}.bias");
        let bias = if self.gguf.tensor(&bias).is_some() { Some(self.vector(&[(bias, rows)])?) } else { None };
        Ok(Linear { weight, bias })
    }

    fn attn_qkv(&mut self, blk: &str, c: &ModelConfig) -> Result<Linear> {
        let (q, kv) = (c.n_head * c.head_dim, c.n_head_kv * c.head_dim);
        if self.gguf.tensor(&format!("{blk}.attn_qkv.weight")).is_some() {
            return self.linear(&format!("{blk}.attn_qkv"), q + 2 * kv, c.n_embd);
        }
        let names =
            |suffix: &str| [("q", q), ("k", kv), ("v", kv)].map(|(n, rows)| (format!("{blk}.attn_{n}.{suffix}"), rows));
        let weight = self.stacked(&names("weight"), c.n_embd)?;
        let has_bias = self.gguf.tensor(&format!("{blk}.attn_q.bias")).is_some();
        let bias = if has_bias { Some(self.vector(&names("bias"))?) } else { None };
        Ok(Linear { weight, bias })
    }

    fn layer(&mut self, i: u32, c: &ModelConfig) -> Result<Layer> {
        let blk = format!("blk.{i}");
        Ok(Layer {
            attn_norm: self.norm(&format!("{blk}.attn_norm"), c.norm, c.n_embd)?,
            attn_qkv: self.attn_qkv(&blk, c)?,
            attn_output: self.linear(&format!("{blk}.attn_output"), c.n_embd, c.n_head * c.head_dim)?,
            ffn_norm: self.norm(&format!("{blk}.ffn_norm"), c.norm, c.n_embd)?,
            ffn_up: match c.ffn {
                Ffn::Gated(_) => Linear {
                    weight: self.alternating(
                        &format!("{blk}.ffn_gate.weight"),
                        &format!("{blk}.ffn_up.weight"),
                        c.n_ff,
                        c.n_embd,
                    )?,
                    bias: None,
                },
                Ffn::Gelu => self.linear(&format!("{blk}.ffn_up"), c.n_ff, c.n_embd)?,
            },
            ffn_down: self.linear(&format!("{blk}.ffn_down"), c.n_embd, c.n_ff)?,
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
        let position_embd = match c.positions {
            Positions::Learned => Some(b.stacked(&[("position_embd.weight".to_owned(), c.n_ctx_train)], c.n_embd)?),
            Positions::Rope(_) => None,
        };
        let mut layers = Vec::new();
        for i in 0..c.n_layer {
            layers.push(b.layer(i, c)?);
        }
        let output_norm = b.norm("output_norm", c.norm, c.n_embd)?;
        let output = match gguf.tensor("output.weight") {
            Some(_) => b.stacked(&[("output.weight".to_owned(), c.n_vocab)], c.n_embd)?,
            None => token_embd.clone(),
        };
        // Read by the host, into the rotary table.
        b.used.insert(ROPE_FREQS);
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
        Ok((Weights { token_embd, position_embd, layers, output_norm, output }, loads))
    }
}

/// Divisors of the rotary frequencies (Llama 3.1), one a pair.
pub const ROPE_FREQS: &str = "rope_freqs.weight";
