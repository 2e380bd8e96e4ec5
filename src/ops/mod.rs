//! Ops: what a forward pass is written in. An op checks shapes, picks the kernel for the phase and records
//! its dispatches; its CPU reference and tests stand beside it.

mod attention;
mod embed;
mod experts;
mod matmul;
mod matrix;
mod recorder;
mod repack;
mod sample;
mod self_test;
mod taps;
mod tensor;
mod tuning;

pub use attention::{Attention, AttentionParts, KvCache, KvType, QkNormWeights, Rope, RopeKind};
pub use embed::Index;
pub use experts::{ExpertMatrix, ExpertOutput, Routes};
pub use matmul::{Act, Input, Output};
pub use matrix::{Matrix, Part, WeightLayout, n_groups};
pub use recorder::{Phase, Recorder, StepBuffers, Tap};
pub use repack::{Repacker, StagedRows};
pub use sample::Sampler;
pub use self_test::{Feature, self_test};
pub use tensor::{Tensor, Vector};
pub use tuning::{Read, Tuning, VecTuning};
