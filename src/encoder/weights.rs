//! An encoder's weights: their names and shapes in a GGUF file, and where they lie on the GPU.

use std::rc::Rc;

use super::config::EncoderConfig;
use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, Gguf, TensorInfo};
use crate::gpu::{Allocate, Ledger, Usage};
use crate::load::{Destination, Load};
use crate::ops::{Matrix, Vector, n_groups};
use crate::order::sort;

/// Tensors of files that no layer reads: those of the pre-training task.
const UNREAD: [&str; 2] = ["cls.", "pooler."];
/// Types of tokens, at most: known files have one or two.
const MAX_TYPES: u64 = 1024;

/// `y = w x + bias`
pub struct Linear {
    pub weight: Rc<Matrix>,
    pub bias: Vector,
}

/// A LayerNorm's.
pub struct Norm {
    pub weight: Vector,
    pub bias: Vector,
}

pub struct Layer {
    /// `(3 C, C)`
    pub attn_qkv: Linear,
    pub attn_output: Linear,
    pub attn_output_norm: Norm,
    /// `(F, C)`
    pub ffn_up: Linear,
    /// `(C, F)`
    pub ffn_down: Linear,
    pub layer_output_norm: Norm,
}

/// All of them.
pub struct Weights {
    /// `(V, C)`
    pub token_embd: Rc<Matrix>,
    /// `(n_ctx, C)`
    pub position_embd: Rc<Matrix>,
    /// A row for each type of tokens; all of ours are of the first.
    pub type_embd: Rc<Matrix>,
    pub token_embd_norm: Norm,
    pub layers: Vec<Layer>,
}

impl Weights {
    /// The weights of a file with `n_vocab` tokens, whose buffers go to `memory`, and the loads that fill them.
    ///
    /// # Errors
    /// `MalformedGguf` where a tensor is missing or has another shape; `UnsupportedTensorType` where it has a type without kernels;
    /// `UnsupportedArchitecture` where the file has a tensor more.
    pub fn of(gguf: &Gguf, c: &EncoderConfig, n_vocab: u32, memory: &Ledger) -> Result<(Weights, Vec<Load>)> {
        let mut r = Reader { gguf, memory, loads: Vec::new() };
        let n_embd = c.n_embd;
        let weights = Weights {
            token_embd: r.stacked(&[("token_embd", n_vocab)], n_embd)?,
            position_embd: r.floats("position_embd", c.n_ctx, n_embd)?,
            type_embd: r.types(n_embd)?,
            token_embd_norm: r.norm("token_embd_norm", n_embd)?,
            layers: (0..c.n_layer).map(|l| r.layer(&format!("blk.{l}"), c)).collect::<Result<_>>()?,
        };
        let is_read = |t: &TensorInfo| {
            r.loads.iter().any(|load| load.tensor.name == t.name) || UNREAD.iter().any(|p| t.name.starts_with(p))
        };
        if let Some(t) = gguf.tensors.iter().find(|t| !is_read(t)) {
            bail!(
                UnsupportedArchitecture,
                "tensor '{}' is not part of architecture '{}' as it is supported",
                t.name,
                c.arch
            );
        }
        sort(&mut r.loads, |a, b| a.tensor.file_range.start < b.tensor.file_range.start);
        Ok((weights, r.loads))
    }
}

/// Takes the tensors from a file's header.
struct Reader<'a> {
    gguf: &'a Gguf,
    memory: &'a Ledger,
    loads: Vec<Load>,
}

impl<'a> Reader<'a> {
    fn layer(&mut self, blk: &str, c: &EncoderConfig) -> Result<Layer> {
        let name = |name: &str| format!("{blk}.{name}");
        let (n_embd, n_ff) = (c.n_embd, c.n_ff);
        let qkv = if self.gguf.tensor(&name("attn_qkv.weight")).is_some() {
            vec![(name("attn_qkv"), 3 * n_embd)]
        } else {
            ["attn_q", "attn_k", "attn_v"].map(|n| (name(n), n_embd)).to_vec()
        };
        let qkv: Vec<(&str, u32)> = qkv.iter().map(|(name, rows)| (name.as_str(), *rows)).collect();
        Ok(Layer {
            attn_qkv: self.linear(&qkv, n_embd)?,
            attn_output: self.linear(&[(&name("attn_output"), n_embd)], n_embd)?,
            attn_output_norm: self.norm(&name("attn_output_norm"), n_embd)?,
            ffn_up: self.linear(&[(&name("ffn_up"), n_ff)], n_embd)?,
            ffn_down: self.linear(&[(&name("ffn_down"), n_embd)], n_ff)?,
            layer_output_norm: self.norm(&name("layer_output_norm"), n_embd)?,
        })
    }

    /// The tensor, which must be there with this shape, outermost dimension first.
    fn tensor(&self, name: &str, shape: &[u32]) -> Result<&'a TensorInfo> {
        let t = self.gguf.require(name)?;
        if !t.shape.iter().copied().eq(shape.iter().map(|&d| u64::from(d))) {
            bail!(MalformedGguf, "tensor '{name}' has shape {:?}, {shape:?} is needed", t.shape);
        }
        Ok(t)
    }

    /// A matrix of tensors one below the other, each `(name, rows)`.
    fn stacked(&mut self, parts: &[(&str, u32)], cols: u32) -> Result<Rc<Matrix>> {
        let tensors = parts.iter().map(|(name, rows)| self.tensor(&format!("{name}.weight"), &[*rows, cols]));
        let tensors: Vec<&TensorInfo> = tensors.collect::<Result<_>>()?;
        let runs: Vec<(GgmlType, u32)> = tensors.iter().zip(parts).map(|(t, part)| (t.ty, part.1)).collect();
        let matrix = Rc::new(Matrix::new(self.memory, parts[0].0, &runs, cols)?);
        let mut row0 = 0;
        for (tensor, (_, rows)) in tensors.into_iter().zip(parts) {
            let destination = Destination::Rows { matrix: matrix.clone(), row0, step: 1 };
            self.loads.push(Load { tensor: tensor.clone(), destination });
            row0 += rows;
        }
        Ok(matrix)
    }

    /// A matrix of F32 in one part.
    fn floats(&mut self, name: &str, rows: u32, cols: u32) -> Result<Rc<Matrix>> {
        let tensor = self.tensor(&format!("{name}.weight"), &[rows, cols])?.clone();
        let matrix = Rc::new(Matrix::as_f32(self.memory, &tensor.name, tensor.ty, rows, cols)?);
        let destination = Destination::Rows { matrix: matrix.clone(), row0: 0, step: 1 };
        self.loads.push(Load { tensor, destination });
        Ok(matrix)
    }

    /// The rows of types; zeros where the file has none.
    fn types(&mut self, cols: u32) -> Result<Rc<Matrix>> {
        let Some(t) = self.gguf.tensor("token_types.weight") else {
            return Ok(Rc::new(Matrix::as_f32(self.memory, "token_types", GgmlType::F32, 1, cols)?));
        };
        match t.shape[..] {
            [rows, _] if (1..=MAX_TYPES).contains(&rows) => self.floats("token_types", rows as u32, cols),
            _ => {
                bail!(
                    MalformedGguf,
                    "tensor '{}' has shape {:?}, [1 to {MAX_TYPES}, {cols}] is needed",
                    t.name,
                    t.shape
                )
            }
        }
    }

    /// Vectors one after the other, each `(name, len)`; those that the file lacks are zeros.
    fn vectors(&mut self, parts: &[(&str, u32)], suffix: &str) -> Result<Vector> {
        let len = parts.iter().map(|part| part.1).sum();
        let name = format!("{}{suffix}", parts[0].0);
        let buffer = self.memory.buffer(&name, u64::from(n_groups(len)) * 64, Usage::Storage)?;
        let mut at_bytes = 0;
        for (name, len) in parts {
            let name = format!("{name}{suffix}");
            if self.gguf.tensor(&name).is_some() {
                let tensor = self.tensor(&name, &[*len])?.clone();
                if tensor.ty != GgmlType::F32 {
                    bail!(UnsupportedTensorType, "tensor '{name}' has type {}; vectors must be F32", tensor.ty);
                }
                self.loads.push(Load { tensor, destination: Destination::Bytes { buffer: buffer.clone(), at_bytes } });
            }
            at_bytes += u64::from(*len) * 4;
        }
        Ok(Vector { buffer, len })
    }

    fn linear(&mut self, parts: &[(&str, u32)], cols: u32) -> Result<Linear> {
        Ok(Linear { weight: self.stacked(parts, cols)?, bias: self.vectors(parts, ".bias")? })
    }

    fn norm(&mut self, name: &str, len: u32) -> Result<Norm> {
        for suffix in [".weight", ".bias"] {
            self.gguf.require(&format!("{name}{suffix}"))?;
        }
        let [weight, bias] = [".weight", ".bias"].map(|suffix| self.vectors(&[(name, len)], suffix));
        Ok(Norm { weight: weight?, bias: bias? })
    }
}
