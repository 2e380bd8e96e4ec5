//! TFLite: reading without I/O. Knows nothing of GPU or JavaScript.
//!
//! A file is one FlatBuffer with the identifier `TFL3` at byte 4, after
//! <https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs>: operator
//! codes, subgraphs of tensors and operators, and buffers with the data of constants. The largest files of images'
//! networks have some megabytes, so a reader takes all of a file's bytes; constants stay where they are, as ranges.
//!
//! A MediaPipe `.task` file is a zip of such files. Everything in a file is hostile until checked.

mod activations;
mod builtin;
mod bundle;
mod flatbuffer;
mod inspect;
mod model;
mod network;
mod operator;
mod subgraph;
mod tensor;
mod tensor_type;
mod zip;

#[cfg(test)]
mod tests;

pub use activations::Peak;
pub use builtin::builtin_name;
pub use bundle::{Named, is_bundle, models};
pub use flatbuffer::MAX_FILE_BYTES;
pub use inspect::Inspection;
pub use model::{Model, Signature, is_tflite};
pub use operator::{Activation, Conv2d, Operator, OperatorCode, OperatorKind, Padding, Pool2d};
pub use subgraph::Subgraph;
pub use tensor::{Quantization, Tensor};
pub use tensor_type::TensorType;
