//! Silero VAD: whether somebody speaks, from 32 ms of sound at 16 kHz and what it remembers
//! (<https://github.com/snakers4/silero-vad>, MIT).
//!
//! The magnitudes of a short-time Fourier transform go through four convolutions and an LSTM to one number.

mod convert;

pub use convert::{convert, knows};

/// `general.architecture` of a file with this network.
pub const ARCHITECTURE: &str = "silero-vad";
