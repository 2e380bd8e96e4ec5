//! Speech: text to speech with Kokoro (feature `speech`).

pub mod kokoro;
pub mod wav;
