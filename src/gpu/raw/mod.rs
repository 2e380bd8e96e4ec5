//! WebGPU, as much of it as is used here, once natively by wgpu and once as browsers have it. Both modules have the same names;
//! what lies above does not know which it is.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
pub use native::*;
#[cfg(target_arch = "wasm32")]
pub use web::*;

use super::wgsl::Access;
use crate::error::Error;

/// What an adapter says of itself.
pub struct Info {
    /// As the driver names the adapter; browsers may say little.
    pub name: String,
    pub backend: &'static str,
    /// Whether it is a CPU in truth.
    pub software: bool,
    /// Invocations of the smallest subgroup; 0 where that is not known.
    pub subgroup_min: u32,
}

/// What not every device can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    pub timestamps: bool,
    pub subgroups: bool,
    pub f16: bool,
}

/// Limits that matter here; the others are those that every device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub buffer_bytes: u64,
    pub binding_bytes: u64,
}

impl Limits {
    /// What every device has.
    pub const LEAST: Limits = Limits { buffer_bytes: 256 << 20, binding_bytes: 128 << 20 };
    /// Workgroups of one dimension of a dispatch.
    pub const WORKGROUPS: u32 = 65_535;
}

/// What buffers are for: flags by their WebGPU names and values.
pub mod usage {
    pub const MAP_READ: u32 = 1;
    pub const COPY_SRC: u32 = 1 << 2;
    pub const COPY_DST: u32 = 1 << 3;
    pub const UNIFORM: u32 = 1 << 6;
    pub const STORAGE: u32 = 1 << 7;
    pub const QUERY_RESOLVE: u32 = 1 << 9;
}

/// Hears of a lost device: the reason in a word, and the driver's message.
type OnLost = Box<dyn Fn(&str, &str) + Send>;

/// What a device reports out of turn.
pub struct Reports {
    pub lost: OnLost,
    pub error: Box<dyn Fn(Error) + Send + Sync>,
}

/// A binding of a kernel: its number, and how the kernel uses it.
pub type Slot = (u32, Access);

/// Constants of a pipeline by name.
pub type Constants = [(&'static str, f64)];
