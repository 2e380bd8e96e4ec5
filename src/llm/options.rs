//! How a model is loaded, and how long its load took.

use crate::gpu::DeviceProfile;
use crate::ops::KvType;

/// How a model is to be loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Positions the KV cache holds; `None` takes the model's own, up to a default.
    pub context_length: Option<u32>,
    /// Tokens of a prefill batch.
    pub n_batch: u32,
    /// Of the KV cache; `None` takes the device's.
    pub kv_type: Option<KvType>,
    pub profile: DeviceProfile,
    /// Bytes of GPU memory that the model may take; `None` where nothing is known of what there is.
    pub memory_budget: Option<u64>,
    /// Whether layers get a block whose state can't be cut back; batches are of one token then.
    #[cfg(feature = "test-block")]
    pub running_sum: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            context_length: None,
            n_batch: 512,
            kv_type: None,
            profile: DeviceProfile::Full,
            memory_budget: None,
            #[cfg(feature = "test-block")]
            running_sum: false,
        }
    }
}

/// Where the time of a load went, in milliseconds. Weights come in while kernels compile.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadTimes {
    pub header: f64,
    pub gpu: f64,
    /// Allocating buffers and recording plans.
    pub plans: f64,
    pub weights: f64,
    pub compile: f64,
}
