//! Models: configuration from metadata, weights, run state, and the one forward pass.

pub mod arch;
mod capture;
mod checksum;
mod config;
mod forward;
mod hyper;
mod load;
mod need;
mod rope;
mod weights;

pub use capture::Activation;
pub use config::{Ffn, LayerConfig, ModelConfig, Norm, QkNorm, RopeConfig, RopeScaling};
pub use forward::{Model, Sampling};
pub use load::{LoadEvents, LoadOptions, LoadPhase, LoadTimes, ms, read_header};
pub use need::{Budget, Excess, Fit, Need};
pub use weights::{Bytes, Weights};
