//! Networks for speech.

pub mod convert;
pub mod silero_vad;
