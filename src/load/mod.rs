//! From a file's bytes to weights on the GPU, for every kind of model: the header is read, tensors are given
//! destinations, and their bytes stream there past the host's memory.

mod header;
mod onnx;
mod progress;
mod stream;

use std::cell::RefCell;
use std::rc::Rc;

pub use header::read_header;
pub use onnx::read_onnx;
pub use progress::{LoadEvents, LoadPhase, LoadProgress, Tally};
pub use stream::{load_bytes, stream_weights};

use crate::formats::gguf::TensorInfo;
use crate::gpu::Buffer;
use crate::ops::Matrix;

/// The architectures of encoders, which make vectors of texts: who runs other models tells where these run.
pub const ENCODERS: [&str; 1] = ["bert"];

/// Where a tensor's data goes.
pub enum Destination {
    /// Row `r` of the tensor is row `row0 + step * r` of the matrix.
    Rows { matrix: Rc<Matrix>, row0: u32, step: u32 },
    /// F32, copied as it is.
    Bytes { buffer: Rc<Buffer>, at_bytes: u64 },
    /// To the host, as it is: small tensors that kernels do not read.
    Host(Rc<RefCell<Vec<u8>>>),
}

/// A tensor to be loaded.
pub struct Load {
    pub tensor: TensorInfo,
    pub destination: Destination,
}
