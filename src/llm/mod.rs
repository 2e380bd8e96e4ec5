//! Language models: configuration from metadata, weights, the one forward pass, and generation.

pub mod arch;
mod blocks;
mod capture;
mod config;
mod generate;
mod hyper;
mod info;
mod inspect;
mod model;
mod need;
mod network;
mod opened;
mod options;
mod rope;
mod sequence;
mod weights;

pub use capture::Activation;
pub use config::{DenseLead, Ffn, Gate, LayerConfig, Mixer, ModelConfig, Norm, QkNorm, RopeConfig, RopeScaling};
pub use generate::{Constraint, Earlier, FinishReason, GenerateOptions, Generation, Session, Stats, TextId};
pub use info::{GpuInfo, Info, MemoryInfo, types};
pub use inspect::{Inspection, Needs};
pub use model::Model;
pub use need::{Budget, Excess, Fit, MemoryNeed, Need};
pub use opened::Opened;
pub use options::{LoadOptions, LoadTimes};
pub use sequence::{Sampling, Sequence};
pub use weights::Sizes;
