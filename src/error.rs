//! The one error type. Variants are told apart by what the caller can do about them; the message
//! names the object, what was found and what is allowed.

use std::fmt;

/// Every failure webgguf reports, from a malformed file to a lost GPU device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The file is not a well-formed GGUF file. Another copy of the file may be.
    MalformedGguf(String),
    /// The file is not a well-formed TFLite file, or not a bundle of such. Another copy of the file may be.
    MalformedTflite(String),
    /// The file is not a well-formed ONNX file. Another copy of the file may be.
    MalformedOnnx(String),
    /// The file is not a well-formed dictionary of phonemes. Another copy of the file may be.
    MalformedDictionary(String),
    /// The file is well-formed but holds a model this version cannot run.
    UnsupportedArchitecture(String),
    /// A weight tensor has a type this version has no kernels for.
    UnsupportedTensorType(String),
    /// The tokenizer or the chat template of the file cannot be used.
    UnsupportedTokenizer(String),
    /// The chat template failed to render; the message names the line.
    Template(String),
    /// Bytes could not be had from the server, the file or the blob.
    FetchFailed(String),
    /// The file is another one on its server than it was when the load began. Loading it again helps.
    SourceChanged(String),
    /// The model or its cache does not fit this GPU; the message gives the numbers.
    OutOfGpuMemory(String),
    /// The GPU device was lost: the tab was in the background, or the GPU process died.
    DeviceLost(String),
    /// There is no WebGPU here, or no adapter that meets the minimum.
    NoWebgpu(String),
    /// The caller's `AbortSignal` fired.
    Aborted(String),
    /// The prompt and the tokens asked for do not fit the context.
    ContextOverflow(String),
    /// The model computed NaN or an infinity: weights of the file are broken, or values outgrew their type.
    NotFinite(String),
    /// An argument of the call is out of its range.
    InvalidArgument(String),
    /// The model is busy with another call, or has been destroyed.
    InvalidState(String),
    /// A defect in webgguf or in the driver; please report it.
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
            Error::MalformedDictionary(_) => "MALFORMED_DICTIONARY",
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::MalformedGguf(message)
        | Error::MalformedTflite(message)
        | Error::MalformedOnnx(message)
        | Error::MalformedDictionary(message)
        | Error::UnsupportedArchitecture(message)
        | Error::UnsupportedTensorType(message)
        | Error::UnsupportedTokenizer(message)
        | Error::Template(message)
        | Error::FetchFailed(message)
        | Error::SourceChanged(message)
        | Error::OutOfGpuMemory(message)
        | Error::DeviceLost(message)
        | Error::NoWebgpu(message)
        | Error::Aborted(message)
        | Error::ContextOverflow(message)
        | Error::NotFinite(message)
        | Error::InvalidArgument(message)
        | Error::InvalidState(message)
        | Error::Internal(message)) = self;
        f.write_str(message)
    }
}

impl std::error::Error for Error {}

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
