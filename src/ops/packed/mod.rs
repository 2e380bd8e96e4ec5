//! Texts packed one after the other, without padding between them: their first rows, attention within each, and one vector for each.
//!
//! What is computed for a text does not depend on where it lies, nor on what lies beside it: all sums go over its own rows, from
//! its first.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::attention::TILE_TOKENS;
use super::recorder::ELEMENT_WG;
use super::{BatchBuffers, Matrix, Op, Part, Recorder, Tensor, n_groups};
use crate::error::{Result, bail};
use crate::gpu::{Allocate, Buffer, Extent, Gpu, Grid, Kernel, Usage};

wgsl_exports!("packed");

/// Rows that a text counts for at least. A tile of attention has up to 16 rows of one text, and there is a workgroup for every four
/// rows, so that there are enough whatever the texts' lengths.
const MIN_ROWS: u32 = 4;

/// Which of a text's rows its vector is the mean of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    Mean,
    /// The first alone: that of `[CLS]`.
    Cls,
    Last,
}

impl Pooling {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Pooling::Mean => "mean",
            Pooling::Cls => "cls",
            Pooling::Last => "last",
        }
    }
}

/// A batch of texts on the GPU.
pub struct Packed {
    /// Id and place in its text of each token, `(T, 2)`.
    rows: Rc<Buffer>,
    /// First row and end of each tile, and of its text, `(T / 4, 4)`.
    tiles: Rc<Buffer>,
    /// First row and end of what is pooled of each text, `(T / 4, 2)`.
    pooled: Rc<Buffer>,
    pub batch: BatchBuffers,
    /// T, at most.
    pub max_rows: u32,
}

impl Packed {
    /// Buffers for batches that count for up to `max_rows`.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn new(from: &dyn Allocate, max_rows: u32) -> Result<Self> {
        let max_texts = u64::from(Self::max_texts(max_rows));
        Ok(Packed {
            rows: from.buffer("packed_rows", u64::from(max_rows) * 8, Usage::Storage)?,
            tiles: from.buffer("tiles", max_texts * 16, Usage::Storage)?,
            pooled: from.buffer("pooled_rows", max_texts * 8, Usage::Storage)?,
            batch: BatchBuffers::new(from, 1)?,
            max_rows,
        })
    }

    /// Texts of a batch that counts for `max_rows`, at most.
    #[must_use]
    pub fn max_texts(max_rows: u32) -> u32 {
        max_rows.div_ceil(MIN_ROWS)
    }

    /// The rows that a text of `n` tokens counts for.
    #[must_use]
    pub fn rows_of(n: usize) -> usize {
        n.max(MIN_ROWS as usize)
    }

    /// The next batch is of these texts, the ids of each. Returns the rows that it counts for: those to submit plans for.
    ///
    /// # Errors
    /// `Internal` where that is more than there is room for: a defect in the caller.
    pub fn set<T: AsRef<[u32]>>(&self, gpu: &Gpu, texts: &[T], pooling: Pooling) -> Result<u32> {
        let n_rows: usize = texts.iter().map(|ids| Self::rows_of(ids.as_ref().len())).sum();
        if n_rows > self.max_rows as usize {
            bail!(Internal, "texts of {n_rows} rows are packed, {} are allowed", self.max_rows);
        }
        let n_rows = n_rows as u32;
        let n_texts = Self::max_texts(n_rows) as usize;
        let (mut rows, mut tiles, mut pooled) = (Vec::new(), Vec::new(), Vec::new());
        for ids in texts.iter().map(AsRef::as_ref) {
            let first = rows.len() as u32;
            rows.extend(ids.iter().zip(0_u32..).map(|(&id, place)| [id, place]));
            let end = rows.len() as u32;
            let tile = |row: u32| [row, end.min(row + TILE_TOKENS), first, end];
            tiles.extend((first..end).step_by(TILE_TOKENS as usize).map(tile));
            pooled.push(match pooling {
                _ if ids.is_empty() => [0, 0],
                Pooling::Mean => [first, end],
                Pooling::Cls => [first, first + 1],
                Pooling::Last => [end - 1, end],
            });
        }
        let n_tokens = rows.len() as u32;
        // Rows beyond the last text are looked up, too.
        rows.resize(n_rows as usize, [0, 0]);
        tiles.resize(n_texts, [0; 4]);
        pooled.resize(n_texts, [0; 2]);
        gpu.write(&self.rows, 0, &rows);
        gpu.write(&self.tiles, 0, &tiles);
        gpu.write(&self.pooled, 0, &pooled);
        self.batch.set_place(gpu, 0, n_tokens);
        Ok(n_rows)
    }
}

impl Recorder<'_> {
    /// `x (T, C) = token_embd[id] + position_embd[place] + type_embd[0]`: where a text's tokens start. `position_embd (n_ctx, C)` and
    /// `type_embd` are of F32 in one part.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn embed_packed(
        &mut self,
        name: &str,
        packed: &Packed,
        token_embd: &Matrix,
        position_embd: &Matrix,
        type_embd: &Matrix,
        x: &Tensor,
    ) -> Result<()> {
        let floats = |m: &Matrix| m.parts.len() == 1 && m.parts[0].layout.weight == "f32" && m.cols == x.width;
        if token_embd.cols != x.width || !floats(position_embd) || !floats(type_embd) {
            bail!(Internal, "{name}: x (T, {}) of rows of {} elements", x.width, token_embd.cols);
        }
        let more = [position_embd, type_embd].map(|m| &m.parts[0].qs);
        self.observed(&Op::Packed { name, x: None, y: x }, |r| {
            token_embd.parts.iter().try_for_each(|part| r.embed_packed_part(name, packed, part, more, x))
        })
    }

    fn embed_packed_part(
        &mut self,
        name: &str,
        packed: &Packed,
        part: &Part,
        [position_embd, type_embd]: [&Rc<Buffer>; 2],
        x: &Tensor,
    ) -> Result<()> {
        let groups = n_groups(x.width);
        let kernel = Kernel::new("packed/embed")
            .slot("WEIGHT", part.layout.weight)
            .set("K16", groups)
            .set("N", part.rows.len() as u32)
            .set("ROW0", part.rows.start);
        let mut bindings = vec![
            ("x", &x.buffer),
            ("w_qs", &part.qs),
            ("position_embd", position_embd),
            ("type_embd", type_embd),
            ("packed_rows", &packed.rows),
        ];
        if let Some(sc) = &part.sc {
            bindings.push(("w_sc", sc));
        }
        self.dispatch(name, &kernel, &bindings, Grid::xy(groups.div_ceil(ELEMENT_WG), self.per_rows(1)))
    }

    /// `y (T, n_head head_dim)`: attention of each text to all of itself, `qkv (T, (n_head + 2 n_head_kv) head_dim)`. Scores are multiplied
    /// by `1 / sqrt(head_dim)`.
    ///
    /// # Errors
    /// `UnsupportedArchitecture` where the heads' shape is beyond the kernel; `Internal` if shapes do not fit: a defect in the forward
    /// pass.
    pub fn attend_packed(
        &mut self,
        name: &str,
        packed: &Packed,
        [n_head, n_head_kv, head_dim]: [u32; 3],
        qkv: &Tensor,
        y: &Tensor,
    ) -> Result<()> {
        if !head_dim.is_multiple_of(4) || head_dim > 256 {
            bail!(UnsupportedArchitecture, "heads of {head_dim} elements; multiples of 4 up to 256 are supported");
        }
        if [qkv.width, y.width] != [(n_head + 2 * n_head_kv) * head_dim, n_head * head_dim] {
            bail!(Internal, "{name}: y (T, {}) of qkv (T, {})", y.width, qkv.width);
        }
        let kernel = Kernel::new("attention/tile")
            .slot("KV", "rows")
            .slot("SPAN", "text")
            .slot("GATE", "none")
            .set("N_HEAD", n_head)
            .set("N_HEAD_KV", n_head_kv)
            .set("HEAD_DIM", head_dim)
            .set("ROW_D4", qkv.stride() / 4)
            .set("SCALE", f64::from(head_dim).sqrt().recip())
            .set("SOFTCAP", 0.0)
            .set("Y_STRIDE", y.stride());
        let bindings = [("qkv", &qkv.buffer), ("tiles", &packed.tiles), ("y", &y.buffer)];
        self.observed(&Op::Packed { name, x: Some(qkv), y }, |r| {
            r.dispatch(name, &kernel, &bindings, Grid::xy(n_head, Extent::PerRows(MIN_ROWS)))
        })
    }

    /// `y (B, C)`: a vector of each text, the mean of those rows of `x (T, C)` that [`Packed::set`] was told.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn pool(&mut self, name: &str, packed: &Packed, x: &Tensor, y: &Tensor) -> Result<()> {
        if x.width != y.width {
            bail!(Internal, "{name}: y (B, {}) of x (T, {})", y.width, x.width);
        }
        let c4 = x.stride() / 4;
        let kernel = Kernel::new("packed/pool").set("C4", c4);
        let bindings = [("x", &x.buffer), ("y", &y.buffer), ("pooled_rows", &packed.pooled)];
        self.observed(&Op::Packed { name, x: Some(x), y }, |r| {
            r.dispatch(name, &kernel, &bindings, Grid::xy(c4.div_ceil(POOL_WG), Extent::PerRows(MIN_ROWS)))
        })
    }
}
