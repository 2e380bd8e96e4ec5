//! Table lookup: token embeddings, learned positions.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use super::recorder::ELEMENT_WG;
use super::{Matrix, Op, Part, Recorder, Tensor, n_groups};
use crate::error::Result;
use crate::gpu::{Grid, Kernel};

/// Which row of a table a token takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// The token's id; starts the residual stream.
    Token,
    /// The token's position; adds to the residual stream.
    Position,
}

impl Recorder<'_> {
    /// `x (T, C) = table[id] * scale`, or `x += table[position] * scale`.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn embed(&mut self, name: &str, table: &Matrix, index: Index, scale: f32, x: &Tensor) -> Result<()> {
        self.observed(&Op::Embed { name, table, index, x }, |r| {
            table.parts.iter().try_for_each(|part| r.embed_part(name, table, part, index, scale, x))
        })
    }

    fn embed_part(
        &mut self,
        name: &str,
        table: &Matrix,
        part: &Part,
        index: Index,
        scale: f32,
        x: &Tensor,
    ) -> Result<()> {
        let groups = n_groups(table.cols);
        let kernel = Kernel::new("embed/rows")
            .slot("WEIGHT", part.layout.weight)
            .slot("INDEX", if index == Index::Token { "token" } else { "position" })
            .set("K16", groups)
            .set("N", part.rows.len() as u32)
            .set("ROW0", part.rows.start)
            .set("SCALE", scale);
        let mut bindings = vec![("w_qs", &part.qs), ("x", &x.buffer)];
        bindings.push(match index {
            Index::Token => ("tokens", &self.batch.tokens),
            Index::Position => ("batch", &self.batch.place),
        });
        if let Some(sc) = &part.sc {
            bindings.push(("w_sc", sc));
        }
        self.dispatch(name, &kernel, &bindings, Grid::xy(groups.div_ceil(ELEMENT_WG), self.per_rows(1)))
    }
}
