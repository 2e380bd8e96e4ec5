//! Speech: from a text to what a voice says.
//!
//! [`phonemes`] turns a text into the symbols that a speech network reads. It needs no GPU.

pub mod phonemes;
