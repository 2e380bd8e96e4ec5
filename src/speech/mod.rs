//! Speech: from a text to sound, and where somebody speaks in a recording.
//!
//! [`phonemes`] turns a text into the symbols that a speech network reads. It needs no GPU. [`kokoro`] reads them aloud.

pub mod convert;
pub mod kokoro;
pub mod phonemes;
pub mod silero_vad;
pub mod wav;
