//! Networks for speech: Kokoro speaks.

pub mod convert;
pub mod kokoro;
pub mod silero_vad;
pub mod wav;
