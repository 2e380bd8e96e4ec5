//! Finds the tensors that blocks ask for, checks their shapes, and lists the room and the destination of each.

use std::collections::HashSet;
use std::rc::Rc;

use super::config::{ModelConfig, Norm};
use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, Gguf, TensorInfo};
use crate::gpu::{Allocate, Buffer, Ledger, Usage};
use crate::load::{Destination, Load};
use crate::ops::{AttentionParts, KvType, Matrix, Rope, Routes, Tensor, Vector, WeightLayout, n_groups};

/// Weight and, for LayerNorm, bias of a norm.
pub struct NormWeights {
    pub weight: Vector,
    pub bias: Option<Vector>,
}

/// A matrix and its bias, if it has one.
pub struct Linear {
    pub weight: Rc<Matrix>,
    pub bias: Option<Vector>,
}

/// The sizes that a model is loaded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Positions that a sequence holds.
    pub n_ctx: u32,
    /// Tokens of a prefill batch.
    pub n_batch: u32,
    pub kv_type: KvType,
    /// Whether layers have a running sum, for tests.
    #[cfg(feature = "test-block")]
    pub running_sum: bool,
}

/// That there are kernels for every tensor of a file: said before what is wrong with a single one.
///
/// # Errors
/// `UnsupportedTensorType` naming the first tensor without.
pub fn check_types(gguf: &Gguf) -> Result<()> {
    match gguf.tensors.iter().find(|t| WeightLayout::of(t.ty).is_none()) {
        None => Ok(()),
        Some(t) => {
            let supported = WeightLayout::supported();
            bail!(UnsupportedTensorType, "tensor '{}' has type {}; supported are {supported}", t.name, t.ty)
        }
    }
}

/// Rows that stay together in any matrix: those of a gated unit.
const PAIR: u32 = 2;

/// Blocks are made by it. Nothing is allocated: buffers go to a list.
pub struct Builder<'a> {
    pub gguf: &'a Gguf,
    pub c: &'a ModelConfig,
    pub sizes: Sizes,
    pub ropes: &'a [Rope],
    /// The weights' buffers.
    pub memory: Ledger,
    /// Buffers of activations, which all layers and all sequences share: what they hold lasts for a step.
    pub scratch: &'a Ledger,
    pub loads: Vec<Load>,
    /// Bytes of the largest run of rows that one buffer has to hold.
    pub largest_unit: u64,
    used: HashSet<&'a str>,
    tensors: Vec<(&'static str, Tensor)>,
    parts: Option<AttentionParts>,
    routes: Option<Rc<Routes>>,
}

impl<'a> Builder<'a> {
    #[must_use]
    pub fn new(gguf: &'a Gguf, c: &'a ModelConfig, sizes: Sizes, ropes: &'a [Rope], scratch: &'a Ledger) -> Self {
        Builder {
            gguf,
            c,
            sizes,
            ropes,
            memory: Ledger::new(scratch.max_binding_bytes()),
            scratch,
            loads: Vec::new(),
            largest_unit: 0,
            used: HashSet::new(),
            tensors: Vec::new(),
            parts: None,
            routes: None,
        }
    }

    /// Activations of a batch for one purpose: `(T rows_per_token, width)`. The same tensor every time.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn scratch(&mut self, purpose: &'static str, rows_per_token: u32, width: u32) -> Result<Tensor> {
        if let Some((_, t)) = self.tensors.iter().find(|(p, t)| *p == purpose && t.width == width) {
            return Ok(t.clone());
        }
        let tensor = Tensor::new(self.scratch, purpose, self.sizes.n_batch * rows_per_token, width)?;
        self.tensors.push((purpose, tensor.clone()));
        Ok(tensor)
    }

    /// Scratch of decode's attention.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn attention_parts(&mut self) -> Result<AttentionParts> {
        let parts = match self.parts.take() {
            Some(parts) => parts,
            None => AttentionParts::new(self.scratch, self.c.n_head, self.c.head_dim)?,
        };
        self.parts = Some(parts.clone());
        Ok(parts)
    }

    /// Where the tokens of a batch go, `n_used` experts each.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn routes(&mut self, n_used: u32) -> Result<Rc<Routes>> {
        let routes = match self.routes.take() {
            Some(routes) => routes,
            None => Rc::new(Routes::new(self.scratch, self.sizes.n_batch, n_used)?),
        };
        self.routes = Some(routes.clone());
        Ok(routes)
    }

    /// Note tensors that something else than a block reads.
    pub fn use_elsewhere(&mut self, names: &[&'a str]) {
        self.used.extend(names);
    }

    /// # Errors
    /// `UnsupportedArchitecture` naming a tensor that no block asked for.
    pub fn check_all_used(&self) -> Result<()> {
        match self.gguf.tensors.iter().find(|t| !self.used.contains(t.name.as_str()) && !self.c.is_of_nextn(&t.name)) {
            Some(unknown) => bail!(
                UnsupportedArchitecture,
                "tensor '{}' is not part of architecture '{}' as it is supported",
                unknown.name,
                self.c.arch
            ),
            None => Ok(()),
        }
    }

    /// The tensor, which must be there with this shape, outermost dimension first.
    ///
    /// # Errors
    /// `MalformedGguf` if it is missing or has another shape.
    pub fn tensor(&mut self, name: &str, shape: &[u32]) -> Result<&'a TensorInfo> {
        let t = self.gguf.require(name)?;
        if !t.shape.iter().copied().eq(shape.iter().map(|&d| u64::from(d))) {
            bail!(MalformedGguf, "tensor '{name}' has shape {:?}, {shape:?} is needed", t.shape);
        }
        self.used.insert(&t.name);
        Ok(t)
    }

    /// Vectors one after the other, each `(name, len)`; those that the file lacks are zeros.
    ///
    /// # Errors
    /// `UnsupportedTensorType` if one is not F32; as [`Builder::tensor`].
    pub fn vectors_opt(&mut self, parts: &[(String, u32)]) -> Result<Vector> {
        let len = parts.iter().map(|p| p.1).sum();
        let buffer = self.memory.buffer(&parts[0].0, u64::from(n_groups(len)) * 64, Usage::Storage)?;
        let mut at_bytes = 0;
        for (name, len) in parts {
            if self.gguf.tensor(name).is_some() {
                self.load_floats(name, &[*len], &buffer, at_bytes)?;
            }
            at_bytes += u64::from(*len) * 4;
        }
        Ok(Vector { buffer, len })
    }

    /// A tensor of floats as it lies in the file, outermost dimension first.
    ///
    /// # Errors
    /// `UnsupportedTensorType` if it is not F32; as [`Builder::tensor`].
    pub fn floats(&mut self, name: &str, shape: &[u32]) -> Result<Vector> {
        let len = shape.iter().product();
        let buffer = self.memory.buffer(name, u64::from(n_groups(len)) * 64, Usage::Storage)?;
        self.load_floats(name, shape, &buffer, 0)?;
        Ok(Vector { buffer, len })
    }

    fn load_floats(&mut self, name: &str, shape: &[u32], buffer: &Rc<Buffer>, at_bytes: u64) -> Result<()> {
        let t = self.tensor(name, shape)?;
        if t.ty != GgmlType::F32 {
            bail!(UnsupportedTensorType, "tensor '{name}' has type {}; vectors must be F32", t.ty);
        }
        let destination = Destination::Bytes { buffer: buffer.clone(), at_bytes };
        self.loads.push(Load { tensor: t.clone(), destination });
        Ok(())
    }

    /// A vector, which must be there.
    ///
    /// # Errors
    /// `MalformedGguf` if it is missing; as [`Builder::vectors_opt`].
    pub fn vector(&mut self, name: &str, len: u32) -> Result<Vector> {
        self.gguf.require(name)?;
        self.vectors_opt(&[(name.to_owned(), len)])
    }

    /// A vector, if the file has it.
    ///
    /// # Errors
    /// As [`Builder::vectors_opt`].
    pub fn vector_opt(&mut self, name: &str, len: u32) -> Result<Option<Vector>> {
        if self.gguf.tensor(name).is_some() { self.vector(name, len).map(Some) } else { Ok(None) }
    }

    /// The norm `<name>.weight`, with `<name>.bias` if the model's norms have biases.
    ///
    /// # Errors
    /// As [`Builder::vector`].
    pub fn norm(&mut self, name: &str) -> Result<NormWeights> {
        let bias = match self.c.norm {
            Norm::Rms { .. } => None,
            Norm::Layer { .. } => Some(self.vector(&format!("{name}.bias"), self.c.n_embd)?),
        };
        Ok(NormWeights { weight: self.vector(&format!("{name}.weight"), self.c.n_embd)?, bias })
    }

    /// Room for a matrix of which `unit` rows stay together.
    fn matrix(&mut self, name: &str, runs: &[(GgmlType, u32)], cols: u32, unit: u32) -> Result<Rc<Matrix>> {
        let matrix = Matrix::in_units(&self.memory, name, runs, cols, unit)?;
        let unit_bytes = matrix.parts.iter().map(|part| part.layout.bytes(unit, cols)).max();
        self.largest_unit = self.largest_unit.max(unit_bytes.unwrap_or(0));
        Ok(Rc::new(matrix))
    }

    /// A matrix of tensors one below the other, each `(name, rows)`.
    ///
    /// # Errors
    /// As [`Builder::tensor`].
    pub fn stacked(&mut self, tensors: &[(String, u32)], cols: u32) -> Result<Rc<Matrix>> {
        let mut infos = Vec::new();
        for (name, rows) in tensors {
            infos.push(self.tensor(name, &[*rows, cols])?.clone());
        }
        self.stacked_rows(infos, cols)
    }

    /// A matrix of tensors, or of parts of them, one below the other.
    ///
    /// # Errors
    /// As [`Matrix::in_units`].
    pub fn stacked_rows(&mut self, tensors: Vec<TensorInfo>, cols: u32) -> Result<Rc<Matrix>> {
        let runs: Vec<(GgmlType, u32)> = tensors.iter().map(|t| (t.ty, t.rows() as u32)).collect();
        let matrix = self.matrix(&tensors[0].name, &runs, cols, PAIR)?;
        let mut row0 = 0;
        for tensor in tensors {
            let rows = tensor.rows() as u32;
            let destination = Destination::Rows { matrix: matrix.clone(), row0, step: 1 };
            self.loads.push(Load { tensor, destination });
            row0 += rows;
        }
        Ok(matrix)
    }

    /// A matrix of one row, which the file has as a vector.
    ///
    /// # Errors
    /// As [`Builder::tensor`].
    pub fn row(&mut self, name: &str, cols: u32) -> Result<Rc<Matrix>> {
        let vector = self.tensor(name, &[cols])?;
        let row = TensorInfo { shape: vec![1, cols.into()], ..vector.clone() };
        self.stacked_rows(vec![row], cols)
    }

    /// Gate and up with their rows in turn, of which `unit` stay together.
    ///
    /// # Errors
    /// As [`Matrix::in_units`].
    pub fn alternating(&mut self, [gate, up]: [&TensorInfo; 2], unit: u32, cols: u32) -> Result<Rc<Matrix>> {
        let rows = (gate.rows() + up.rows()) as u32;
        let matrix = self.matrix(&gate.name, &[(gate.ty, rows)], cols, unit)?;
        for (t, row0) in [gate, up].into_iter().zip(0..) {
            let destination = Destination::Rows { matrix: matrix.clone(), row0, step: 2 };
            self.loads.push(Load { tensor: t.clone(), destination });
        }
        Ok(matrix)
    }

    /// A tensor of which `unit` rows stay together.
    ///
    /// # Errors
    /// As [`Matrix::in_units`].
    pub fn in_units(&mut self, t: &TensorInfo, unit: u32) -> Result<Rc<Matrix>> {
        let runs = [(t.ty, t.rows() as u32)];
        let matrix = self.matrix(&t.name, &runs, t.cols() as u32, unit)?;
        let destination = Destination::Rows { matrix: matrix.clone(), row0: 0, step: 1 };
        self.loads.push(Load { tensor: t.clone(), destination });
        Ok(matrix)
    }

    /// `<name>.weight`, with `<name>.bias` if the file has it.
    ///
    /// # Errors
    /// As [`Builder::tensor`] and [`Builder::vectors_opt`].
    pub fn linear(&mut self, name: &str, rows: u32, cols: u32) -> Result<Linear> {
        let weight = self.stacked(&[(format!("{name}.weight"), rows)], cols)?;
        Ok(Linear { weight, bias: self.vector_opt(&format!("{name}.bias"), rows)? })
    }
}
