//! webgguf runs GGUF language models in a browser tab on WebGPU.
//!
//! See ARCHITECTURE.md for the layers; arrows point strictly down.

pub mod error;
pub mod gguf;
pub mod gpu;
pub mod jinja;
pub mod model;
pub mod ops;
pub mod session;
pub mod source;
pub mod tokenizer;
#[cfg(target_arch = "wasm32")]
mod web;

pub use error::{Error, Result};
