//! Table lookup: token embeddings, learned positions.

use super::{Matrix, Recorder, Tensor, n_groups};
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
        for part in &table.parts {
            let groups = n_groups(table.cols);
            let kernel = Kernel::new("embed")
                .slot("WEIGHT", part.layout.weight)
                .slot("INDEX", if index == Index::Token { "token" } else { "position" })
                .set("K16", groups)
                .set("N", part.rows.len() as u32)
                .set("ROW0", part.rows.start)
                .must_set("SCALE", scale);
            let mut bindings = vec![("w_qs", &part.qs), ("x", &x.buffer)];
            bindings.push(match index {
                Index::Token => ("tokens", &self.step.tokens),
                Index::Position => ("state", &self.step.state),
            });
            if let Some(sc) = &part.sc {
                bindings.push(("w_sc", sc));
            }
            self.dispatch(name, &kernel, &bindings, Grid::xy(groups.div_ceil(64), self.per_tokens(1)))?;
        }
        Ok(())
    }
}
