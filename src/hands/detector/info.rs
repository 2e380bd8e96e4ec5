//! What a detector says of itself.

use serde::Serialize;

use super::super::network::Network;
use crate::gpu::Gpu;

/// What is loaded, and on what.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    pub palms: NetworkInfo,
    pub landmarks: NetworkInfo,
    pub memory: MemoryInfo,
    pub gpu: GpuInfo,
    /// Milliseconds of the whole load.
    pub load_ms: f64,
    /// `general.license` of the file.
    pub licence: Option<String>,
}

/// One of the networks.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkInfo {
    /// `lite` or `full`
    pub variant: &'static str,
    /// Pixels a side of what it sees.
    pub input_size: u32,
    pub parameters: u64,
}

/// GPU memory in bytes, without pictures.
#[derive(Debug, Clone, Serialize)]
pub struct MemoryInfo {
    pub weights: u64,
    pub activations: u64,
}

/// The GPU.
#[derive(Debug, Clone, Serialize)]
pub struct GpuInfo {
    pub adapter: String,
    pub backend: &'static str,
}

/// The last picture's times in milliseconds, and the memory that is taken now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// To hand the picture over.
    pub upload_ms: f64,
    /// The wait for the palm network, and for tracked hands beside it; 0 where no palms were looked for.
    pub palms_ms: f64,
    /// The wait for the landmark network alone; 0 where it saw nothing, or ran beside the palm network.
    pub landmarks_ms: f64,
    /// What is done on the CPU: the rest.
    pub glue_ms: f64,
    pub total_ms: f64,
    /// Bytes of all buffers on the GPU, pictures too.
    pub gpu_bytes: u64,
}

impl NetworkInfo {
    /// Of a network whose weights are still to be loaded.
    #[must_use]
    pub fn of(network: &Network) -> Self {
        NetworkInfo {
            variant: network.kind.variant,
            input_size: network.input().width,
            parameters: network.loads.iter().map(|load| load.tensor.n_elems()).sum(),
        }
    }
}

impl GpuInfo {
    #[must_use]
    pub fn of(gpu: &Gpu) -> Self {
        GpuInfo { adapter: gpu.caps.adapter.clone(), backend: gpu.caps.backend }
    }
}
