//! The GPU: the only place that names wgpu. What lies above speaks of kernels, buffers and plans.

mod buffer;
mod device;
mod kernel;
mod plan;
mod profile;
mod readback;
mod upload;
#[cfg(target_arch = "wasm32")]
mod web;
mod wgsl;

pub use buffer::{Buffer, Usage};
pub use device::{Caps, DeviceProfile, Gpu};
pub use kernel::{Kernel, Pipeline, all_variants};
pub use plan::{Binding, Dispatch, Extent, Grid, Plan};
pub use profile::{KernelTime, Profile, REPEATS};
pub use readback::{Pending, Readback};
pub use upload::Upload;

/// The structs that Rust writes and WGSL reads, and constants of both, from reflection of the WGSL.
mod shader_decls {
    include!(concat!(env!("OUT_DIR"), "/shader_decls.rs"));
}
pub use shader_decls::{MAX_SORTED, N_BINS, N_RECENT, NO_ID, RepackParams, State};
