//! The GPU: the only place that names wgpu. What lies above speaks of kernels, buffers and plans.

mod buffer;
mod catalogue;
mod device;
mod kernel;
mod ledger;
mod picture;
mod plan;
mod profile;
mod readback;
mod upload;
#[cfg(target_arch = "wasm32")]
mod web;
mod wgsl;

pub use buffer::{Allocate, Buffer, Usage};
pub use device::{Caps, DeviceProfile, Gpu};
pub use kernel::{Kernel, Pipeline, all_variants};
pub use ledger::Ledger;
pub use picture::{Commands, PictureBuffer, PictureSource, Pixels, Placed};
pub use plan::{Binding, CopyOut, Dispatch, Extent, Grid, Label, Plan};
pub use profile::{KernelTime, Profile, REPEATS};
pub use readback::{Pending, Readback};
pub use upload::Upload;
