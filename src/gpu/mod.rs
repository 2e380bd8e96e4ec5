//! The GPU. What lies above speaks of kernels, buffers and plans; `raw` is the only place that names wgpu or what browsers have.

mod buffer;
mod catalogue;
mod device;
mod kernel;
mod ledger;
mod picture;
mod plan;
mod profile;
mod raw;
mod readback;
#[cfg(target_arch = "wasm32")]
mod texture;
mod upload;
mod wgsl;

pub use buffer::{Allocate, Buffer, Usage};
pub use device::{Caps, DeviceProfile, Gpu};
pub use kernel::{Kernel, Pipeline, all_variants};
pub use ledger::Ledger;
pub use picture::{PictureBuffer, PictureSource, Pixels, Placed};
pub use plan::{Binding, CopyOut, Dispatch, Extent, Grid, Label, Plan};
pub use profile::{KernelTime, Profile, REPEATS};
/// Commands that are recorded and not submitted yet.
pub use raw::Commands;
pub use readback::{Pending, Readback};
pub use upload::Upload;
