//! What loading and speaking report.

/// What was loaded.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    pub weight_bytes: u64,
    pub load_ms: f64,
}

/// A text that was spoken.
#[derive(Debug, Clone)]
pub struct Speech {
    /// From -1 to 1, about, [`SAMPLE_RATE`](super::SAMPLE_RATE) of them a second; [`FRAME`](super::FRAME) of them a frame.
    pub samples: Vec<f32>,
    /// Frames of each token.
    pub durations: Vec<u32>,
    pub stats: Stats,
}

/// What a text took.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Until the durations are known.
    pub text_ms: f64,
    /// Recording the rest.
    pub record_ms: f64,
    /// Until the audio is there.
    pub audio_ms: f64,
    pub dispatches: usize,
    pub submits: usize,
    /// Bytes on the GPU for activations.
    pub activation_bytes: u64,
}
