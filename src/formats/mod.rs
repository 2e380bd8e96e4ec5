//! File formats, read without I/O: metadata, and the name, type, shape and byte range of each tensor. Everything in a
//! file is hostile until it is checked.

pub mod gguf;
pub mod npz;
pub mod onnx;
pub mod tflite;
