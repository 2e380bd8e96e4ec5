//! Weight matrices on the GPU, in the layouts that `shaders/weight/` reads.

use std::ops::Range;
use std::rc::Rc;

use super::Vector;
use crate::error::{Result, bail};
use crate::formats::gguf::GgmlType;
use crate::gpu::{Allocate, Buffer, Usage};

/// Groups of 16 elements, the unit in which kernels read rows.
#[must_use]
pub fn n_groups(n_elems: u32) -> u32 {
    n_elems.div_ceil(16)
}

/// How a tensor type lies on the GPU: codes in one buffer, scales in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightLayout {
    /// The value of slot `WEIGHT`.
    pub weight: &'static str,
    /// The value of slot `REPACK`.
    pub repack: &'static str,
    /// Bytes of the codes of a group of 16.
    pub qs_bytes: u32,
    /// Groups whose scales share `sc_words`; 0 where there are no scales.
    pub sc_groups: u32,
    pub sc_words: u32,
    /// Elements that one invocation of `repack` moves.
    pub unit_elems: u32,
}

impl WeightLayout {
    /// The layout of a type; `None` where there are no kernels for it.
    #[must_use]
    pub fn of(ty: GgmlType) -> Option<Self> {
        let layout = |weight, repack, qs_bytes, sc_groups, sc_words, unit_elems| {
            Some(WeightLayout { weight, repack, qs_bytes, sc_groups, sc_words, unit_elems })
        };
        match ty {
            GgmlType::F32 => layout("f32", "f32", 64, 0, 0, 4),
            GgmlType::F16 => layout("f16", "f16", 32, 0, 0, 8),
            GgmlType::BF16 => layout("bf16", "f16", 32, 0, 0, 8),
            GgmlType::Q8_0 => layout("q8_0", "q8_0", 16, 4, 1, 64),
            GgmlType::Q4_0 => layout("q4_0", "q4_0", 8, 4, 1, 64),
            GgmlType::Q4_1 => layout("q4_1", "q4_1", 8, 2, 1, 32),
            GgmlType::Q5_0 => layout("q5_0", "q5_0", 8, 4, 3, 64),
            GgmlType::Q5_1 => layout("q5_1", "q5_1", 8, 2, 2, 32),
            GgmlType::Q2_K => layout("q2_k", "q2_k", 4, 16, 5, 256),
            GgmlType::Q3_K => layout("q3_k", "q3_k", 4, 16, 13, 256),
            GgmlType::Q4_K => layout("q4_k", "q4_k", 8, 16, 5, 256),
            GgmlType::Q5_K => layout("q5_k", "q5_k", 8, 16, 13, 256),
            GgmlType::Q6_K => layout("q6_k", "q6_k", 8, 16, 21, 256),
            GgmlType::IQ4_NL => layout("iq4_nl", "q4_0", 8, 4, 1, 64),
            GgmlType::IQ4_XS => layout("iq4_xs", "iq4_xs", 8, 16, 2, 256),
            GgmlType::MXFP4 => layout("mxfp4", "mxfp4", 8, 8, 1, 128),
            _ => None,
        }
    }

    /// The layout of a type of floats as F32; `None` for other types. F16 is widened bit for bit: what unpacks halves in a kernel
    /// may take subnormal ones for 0.
    #[must_use]
    pub fn as_f32(ty: GgmlType) -> Option<Self> {
        let f32 = Self::of(GgmlType::F32)?;
        match ty {
            GgmlType::F32 => Some(f32),
            GgmlType::F16 => Some(WeightLayout { repack: "f16_to_f32", ..f32 }),
            _ => None,
        }
    }

    /// The layout of codes I8 with a scale a row.
    #[must_use]
    pub fn of_codes() -> Self {
        // One group of scales spans a row.
        WeightLayout { weight: "i8", repack: "i8", qs_bytes: 16, sc_groups: u32::MAX, sc_words: 1, unit_elems: 16 }
    }

    /// The types there are kernels for, for messages.
    #[must_use]
    pub fn supported() -> String {
        let names: Vec<&str> = GgmlType::all().filter(|&t| Self::of(t).is_some()).map(GgmlType::name).collect();
        names.join(", ")
    }

    fn sc_row_bytes(&self, n_groups: u32) -> u64 {
        if self.sc_groups == 0 { 0 } else { u64::from(n_groups.div_ceil(self.sc_groups) * self.sc_words) * 4 }
    }

    /// Bytes on the GPU of `rows` rows of `cols` elements.
    #[must_use]
    pub fn bytes(&self, rows: u32, cols: u32) -> u64 {
        let groups = n_groups(cols);
        u64::from(rows) * (u64::from(groups) * u64::from(self.qs_bytes) + self.sc_row_bytes(groups))
    }
}

/// Consecutive rows of a matrix in one pair of buffers.
pub struct Part {
    pub ty: GgmlType,
    pub layout: WeightLayout,
    /// Which of the matrix's rows.
    pub rows: Range<u32>,
    pub qs: Rc<Buffer>,
    pub sc: Option<Rc<Buffer>>,
}

/// `w (rows, cols)`. In parts where it is too large for one binding or its tensors differ in type: an op
/// dispatches once a part.
pub struct Matrix {
    pub name: String,
    pub rows: u32,
    pub cols: u32,
    pub parts: Vec<Part>,
}

impl Matrix {
    /// Room for a matrix of `cols` columns whose rows come in runs of a type: `(type, rows)`.
    ///
    /// # Errors
    /// `UnsupportedTensorType` where there are no kernels for a type; as [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, name: &str, runs: &[(GgmlType, u32)], cols: u32) -> Result<Self> {
        // Pairs, so that those of a gated unit stay together.
        Self::in_units(from, name, runs, cols, 2)
    }

    /// As [`Matrix::new`], where every `unit` rows stay in one part: an expert's, say.
    ///
    /// # Errors
    /// `OutOfGpuMemory` where a unit is larger than a binding; as [`Matrix::new`].
    pub fn in_units(from: &dyn Allocate, name: &str, runs: &[(GgmlType, u32)], cols: u32, unit: u32) -> Result<Self> {
        let groups = n_groups(cols);
        let mut parts: Vec<Part> = Vec::new();
        let mut row = 0;
        // Neighbouring runs of one type are one part.
        let mut merged: Vec<(GgmlType, u32)> = Vec::new();
        for &(ty, rows) in runs {
            match merged.last_mut() {
                Some(last) if last.0 == ty => last.1 += rows,
                _ => merged.push((ty, rows)),
            }
        }
        for (ty, rows) in merged {
            let Some(layout) = WeightLayout::of(ty) else {
                bail!(UnsupportedTensorType, "'{name}' has type {ty}; supported are {}", WeightLayout::supported());
            };
            let row_bytes = u64::from(groups) * u64::from(layout.qs_bytes);
            let max_rows = (from.max_binding_bytes() / row_bytes).min(u64::from(u32::MAX)) as u32;
            // A unit that is too large for the device is refused as a buffer.
            let max_rows = (max_rows - max_rows % unit).max(unit);
            let end = row + rows;
            while row < end {
                let n = (end - row).min(max_rows);
                let qs = from.buffer(name, u64::from(n) * row_bytes, Usage::Storage)?;
                let sc_bytes = u64::from(n) * layout.sc_row_bytes(groups);
                let sc = if sc_bytes == 0 { None } else { Some(from.buffer(name, sc_bytes, Usage::Storage)?) };
                parts.push(Part { ty, layout, rows: row..row + n, qs, sc });
                row += n;
            }
        }
        Ok(Matrix { name: name.to_owned(), rows: row, cols, parts })
    }

    /// Room for a matrix of F32 in one part, filled from rows of F32 or F16.
    ///
    /// # Errors
    /// `UnsupportedTensorType` for other types; as [`Allocate::buffer`].
    pub fn as_f32(from: &dyn Allocate, name: &str, ty: GgmlType, rows: u32, cols: u32) -> Result<Self> {
        let Some(layout) = WeightLayout::as_f32(ty) else {
            bail!(UnsupportedTensorType, "'{name}' has type {ty}; supported are F32 and F16");
        };
        let qs = from.buffer(name, layout.bytes(rows, cols), Usage::Storage)?;
        let parts = vec![Part { ty, layout, rows: 0..rows, qs, sc: None }];
        Ok(Matrix { name: name.to_owned(), rows, cols, parts })
    }

    /// Room for a matrix of codes I8 in one part, with a scale a row. `cols` is a multiple of 16.
    ///
    /// # Errors
    /// `Internal` where it is no such multiple: a defect in the caller. As [`Allocate::buffer`].
    pub fn of_codes(from: &dyn Allocate, name: &str, rows: u32, cols: u32) -> Result<Self> {
        if !cols.is_multiple_of(16) {
            bail!(Internal, "'{name}' has rows of {cols} codes, a multiple of 16 is needed");
        }
        let layout = WeightLayout::of_codes();
        let qs = from.buffer(name, u64::from(rows) * u64::from(cols), Usage::Storage)?;
        let sc = Some(from.buffer(name, u64::from(rows) * 4, Usage::Storage)?);
        let parts = vec![Part { ty: GgmlType::I8, layout, rows: 0..rows, qs, sc }];
        Ok(Matrix { name: name.to_owned(), rows, cols, parts })
    }

    /// The one row of a matrix of F32 as a vector; `None` where it is another matrix.
    #[must_use]
    pub fn as_vector(&self) -> Option<Vector> {
        match &self.parts[..] {
            [part] if self.rows == 1 && part.layout.weight == "f32" => {
                Some(Vector { buffer: part.qs.clone(), len: self.cols })
            }
            _ => None,
        }
    }

    /// Bytes on the GPU.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.qs.bytes() + p.sc.as_ref().map_or(0, |sc| sc.bytes())).sum()
    }
}
