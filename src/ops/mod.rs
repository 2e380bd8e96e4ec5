//! Ops: what a forward pass is written in. An op checks shapes, picks the kernel for the phase and records
//! its dispatches; its CPU reference and tests stand beside it.

/// The structs and constants that an op takes over from its shaders, see `[exports]` in `shaders/kernels.toml`.
macro_rules! wgsl_exports {
    ($op:literal) => {
        include!(concat!(env!("OUT_DIR"), "/exports/", $op, ".rs"));
    };
}

mod attention;
mod conv;
mod conv1d;
mod delta_net;
mod embed;
mod experts;
mod image;
mod lstm;
mod mask;
mod matmul;
mod matrix;
mod norm;
mod observer;
mod packed;
mod recorder;
mod repack;
mod sample;
mod self_test;
mod series;
mod short_conv;
mod softmax;
mod source;
mod stft;
mod tensor;
#[cfg(test)]
pub(crate) mod testing;
mod tuning;

pub use attention::{Attention, AttentionParts, KvCache, KvType, Normed, QkNormWeights, Rope, RopeKind, Temperature};
pub use conv::{Activation, Epilogue, Image, Residual, Shape, Window, strided};
pub use conv1d::{Product, Skip, Taps};
pub use delta_net::{DeltaNet, DeltaScratch, DeltaShape};
pub use embed::Index;
pub use experts::{ExpertMatrix, ExpertOutput, Gate, LEAST_WEIGHTS_SUM, Route, Routes};
pub use image::{CropParams, crop_params};
pub use lstm::Recurrent;
pub use mask::Allowed;
pub use matmul::{Act, Input, Output};
pub use matrix::{Matrix, Part, WeightLayout, n_groups};
pub use norm::{Affine, Style};
pub use observer::{Observer, Op};
pub use packed::{Packed, Pooling};
pub use recorder::{Batch, BatchBuffers, Phase, Recorder};
pub use repack::{Repacker, StagedRows};
pub use sample::{N_RECENT, NO_ID, Sampler, SamplerState};
pub use self_test::{Feature, self_test};
pub use series::{Columns, Length, Positions, Series};
pub use short_conv::{ColumnRing, ShortConv};
pub use softmax::MAX_ROWS;
pub use source::{Curves, SAMPLES, phase_bytes};
pub use stft::{STFT_BINS, STFT_HOP};
pub use tensor::{Tensor, Vector};
pub use tuning::{Source, Tuning, VecTuning};
