//! ONNX: reading without I/O, and conversion to GGUF. Knows nothing of GPU or JavaScript.
//!
//! A file is one message of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>), a `ModelProto` of
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>: a graph of nodes, which read and write values by name, and
//! tensors with the weights, as initializers of the graph or as values of `Constant` nodes. Branches and loops are graphs
//! inside nodes.
//!
//! Reading has two steps. [`Reader`] takes the bytes as they come and keeps all but the data of tensors, which it skips:
//! what it keeps of a file of 92 MB is 2 MB. What it kept is then read as a [`Model`], where data is a range of the file,
//! or some bytes where it is small. Everything in a file is hostile until checked.

mod convert;
mod data_type;
mod graph;
mod inspect;
mod message;
mod model;
mod node;
mod quantization;
mod reader;
mod tensor;

#[cfg(test)]
mod tests;

pub use convert::{Converter, Item};
pub use data_type::DataType;
pub use graph::{Dim, Graph, Port};
pub use inspect::Inspection;
pub use model::{Model, Opset, is_onnx};
pub use node::{Attribute, AttributeValue, Node};
pub use quantization::{Quantized, Scales};
pub use reader::{MAX_FILE_BYTES, MAX_HEADER_BYTES, Reader};
pub use tensor::{Data, Tensor};
