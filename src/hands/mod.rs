//! Hands in pictures and videos: where they are, their 21 landmarks, which of both it is (arXiv:2006.10214).
//!
//! MediaPipe's two networks find palms in a picture, and the landmarks of a hand. A network is a list of steps (`design.rs`), which
//! `palm.rs` and `landmark.rs` write down. From the same list come the names of a file's tensors, the conversion of TFLite files,
//! the memory, and the plan. What lies between the networks is in `glue`; `detector` puts it all together.

pub mod convert;
mod design;
mod detector;
pub mod glue;
mod kind;
mod landmark;
mod memory;
mod network;
mod palm;
#[cfg(test)]
mod tests;

pub use design::{Act, Design, Layer, Skip, Step, Weight};
pub use detector::{Detector, GpuInfo, Info, MemoryInfo, NetworkInfo, Stats};
pub use kind::{ARCHITECTURE, Kind, Task};
pub use network::{Loaded, Network, load};
