//! The one error type. Variants are told apart by what the caller can do about them; the message
//! names the object, what was found and what is allowed.

/// Every failure webgguf reports, from a malformed file to a lost GPU device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file is not a well-formed GGUF file. Another copy of the file may be.
    #[error("{0}")]
    MalformedGguf(String),
    /// The file is not a well-formed TFLite file, or not a bundle of such. Another copy of the file may be.
    #[error("{0}")]
    MalformedTflite(String),
    /// The file is not a well-formed ONNX file. Another copy of the file may be.
    #[error("{0}")]
    MalformedOnnx(String),
    /// The file is well-formed but holds a model this version cannot run.
    #[error("{0}")]
    UnsupportedArchitecture(String),
    /// A weight tensor has a type this version has no kernels for.
    #[error("{0}")]
    UnsupportedTensorType(String),
    /// The tokenizer or the chat template of the file cannot be used.
    #[error("{0}")]
    UnsupportedTokenizer(String),
    /// The chat template failed to render; the message names the line.
    #[error("{0}")]
    Template(String),
    /// Bytes could not be had from the server, the file or the blob.
    #[error("{0}")]
    FetchFailed(String),
    /// The file is another one on its server than it was when the load began. Loading it again helps.
    #[error("{0}")]
    SourceChanged(String),
    /// The model or its cache does not fit this GPU; the message gives the numbers.
    #[error("{0}")]
    OutOfGpuMemory(String),
    /// The GPU device was lost: the tab was in the background, or the GPU process died.
    #[error("{0}")]
    DeviceLost(String),
    /// There is no WebGPU here, or no adapter that meets the minimum.
    #[error("{0}")]
    NoWebgpu(String),
    /// The caller's `AbortSignal` fired.
    #[error("{0}")]
    Aborted(String),
    /// The prompt and the tokens asked for do not fit the context.
    #[error("{0}")]
    ContextOverflow(String),
    /// The model computed NaN or an infinity: weights of the file are broken, or values outgrew their type.
    #[error("{0}")]
    NotFinite(String),
    /// An argument of the call is out of its range.
    #[error("{0}")]
    InvalidArgument(String),
    /// The model is busy with another call, or has been destroyed.
    #[error("{0}")]
    InvalidState(String),
    /// A defect in webgguf or in the driver; please report it.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// The stable `code` of the JavaScript error, in upper snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Error::MalformedGguf(_) => "MALFORMED_GGUF",
            Error::MalformedTflite(_) => "MALFORMED_TFLITE",
            Error::MalformedOnnx(_) => "MALFORMED_ONNX",
            Error::UnsupportedArchitecture(_) => "UNSUPPORTED_ARCHITECTURE",
            Error::UnsupportedTensorType(_) => "UNSUPPORTED_TENSOR_TYPE",
            Error::UnsupportedTokenizer(_) => "UNSUPPORTED_TOKENIZER",
            Error::Template(_) => "TEMPLATE_ERROR",
            Error::FetchFailed(_) => "FETCH_FAILED",
            Error::SourceChanged(_) => "SOURCE_CHANGED",
            Error::OutOfGpuMemory(_) => "OUT_OF_GPU_MEMORY",
            Error::DeviceLost(_) => "DEVICE_LOST",
            Error::NoWebgpu(_) => "NO_WEBGPU",
            Error::Aborted(_) => "ABORTED",
            Error::ContextOverflow(_) => "CONTEXT_OVERFLOW",
            Error::NotFinite(_) => "NOT_FINITE",
            Error::InvalidArgument(_) => "INVALID_ARGUMENT",
            Error::InvalidState(_) => "INVALID_STATE",
            Error::Internal(_) => "INTERNAL",
        }
    }
}

/// A message with options by the names that those who read it use: `names` are pairs of a name here, in `snake_case`, and theirs.
#[must_use]
pub fn with_option_names(message: &str, names: &[(&str, &str)]) -> String {
    names.iter().fold(message.to_owned(), |message, (ours, theirs)| message.replace(ours, theirs))
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// `bail!(MalformedGguf, "tensor '{name}' …")`: return early with a formatted error.
macro_rules! bail {
    ($variant:ident, $($arg:tt)*) => {
        return Err($crate::error::Error::$variant(format!($($arg)*)))
    };
}
pub(crate) use bail;
