//! What watches a forward pass while it is recorded: each op reports itself and its operands.

use super::{
    Attention, DeltaNet, ExpertMatrix, ExpertOutput, Gate, Image, Index, Input, Matrix, Output, Recorder, Routes,
    ShortConv, Tensor,
};
use crate::error::Result;

/// An op and its operands.
pub enum Op<'a> {
    Embed {
        name: &'a str,
        table: &'a Matrix,
        index: Index,
        x: &'a Tensor,
    },
    Matmul {
        name: &'a str,
        input: Input<'a>,
        w: &'a Matrix,
        output: Output<'a>,
    },
    /// A norm of the residual stream, whether or not it takes a dispatch of its own.
    Norm {
        name: &'a str,
        input: Input<'a>,
    },
    AddInput {
        name: &'a str,
        input: Input<'a>,
        y: &'a Tensor,
    },
    Attention {
        a: &'a Attention<'a>,
        qkv: &'a Tensor,
        out: &'a Tensor,
    },
    ShortConv {
        conv: &'a ShortConv<'a>,
        bcx: &'a Tensor,
        y: &'a Tensor,
    },
    DeltaNet {
        net: &'a DeltaNet<'a>,
        x: &'a Tensor,
        y: &'a Tensor,
    },
    ExpertRoute {
        probs: &'a Tensor,
        gate: Gate<'a>,
        routes: &'a Routes,
    },
    ExpertMatmul {
        name: &'a str,
        input: Input<'a>,
        w: &'a ExpertMatrix,
        routes: &'a Routes,
        output: ExpertOutput<'a>,
    },
    ExpertSum {
        name: &'a str,
        x: &'a Tensor,
        w: &'a ExpertMatrix,
        routes: &'a Routes,
        y: &'a Tensor,
    },
    AddGated {
        y: &'a Tensor,
    },
    /// An op of `src/ops/packed/`, which reads `x`, if that is a tensor.
    Packed {
        name: &'a str,
        x: Option<&'a Tensor>,
        y: &'a Tensor,
    },
    /// An op of `src/ops/conv/`.
    Image {
        name: &'a str,
        y: &'a Image,
    },
}

/// Watches ops. It may record dispatches and copies of its own; those are not observed.
pub trait Observer {
    /// Called before the op's dispatches are recorded: its operands are as the op reads them.
    ///
    /// # Errors
    /// What ends the recording.
    fn before(&mut self, r: &mut Recorder<'_>, op: &Op<'_>) -> Result<()>;

    /// Called after the op's dispatches are recorded: its results are there.
    ///
    /// # Errors
    /// What ends the recording.
    fn after(&mut self, r: &mut Recorder<'_>, op: &Op<'_>) -> Result<()>;
}

impl Recorder<'_> {
    /// Record an op, seen by the observer if there is one.
    pub(super) fn observed<T>(&mut self, op: &Op<'_>, record: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let Some(observer) = self.observer.take() else { return record(self) };
        observer.before(self, op)?;
        let recorded = record(self)?;
        observer.after(self, op)?;
        self.observer = Some(observer);
        Ok(recorded)
    }
}
