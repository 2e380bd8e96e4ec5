//! From an ONNX file to a GGUF file. The file may have the network for 16 kHz alone, as initializers, or be one branch for 16 kHz
//! and one for 8 kHz, with the weights in `Constant` nodes of the branches; the first is what is converted.

use super::{ARCHITECTURE, SAMPLE_RATE};
use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, GgufWriter};
use crate::formats::onnx::{Converter, Item, Model};

/// The transform's basis: what tells the network by its name and, at 16 kHz, its shape.
const BASIS: &str = "stft.forward_basis_buffer";
const BASIS_SHAPE: [u64; 3] = [258, 1, 256];

/// A tensor: its name in ONNX after the prefix of its branch, its name here, the axes' order and its shape.
pub(super) type Row = (&'static str, &'static str, &'static [usize], &'static [u32]);

/// A convolution's weights `(N, C, kernel)` become `(N, kernel, C)`: a row is what lies in a window of places. The rows of the
/// LSTM's weights are those of the input, forget, cell and output gate, 128 each.
pub(super) const TENSORS: [Row; 15] = [
    // 129 rows of cosines, 129 of sines, with the window in them.
    (BASIS, "stft.weight", &[], &[258, 256]),
    ("encoder.0.reparam_conv.weight", "encoder.0.weight", &[0, 2, 1], &[128, 3, 129]),
    ("encoder.0.reparam_conv.bias", "encoder.0.bias", &[], &[128]),
    ("encoder.1.reparam_conv.weight", "encoder.1.weight", &[0, 2, 1], &[64, 3, 128]),
    ("encoder.1.reparam_conv.bias", "encoder.1.bias", &[], &[64]),
    ("encoder.2.reparam_conv.weight", "encoder.2.weight", &[0, 2, 1], &[64, 3, 64]),
    ("encoder.2.reparam_conv.bias", "encoder.2.bias", &[], &[64]),
    ("encoder.3.reparam_conv.weight", "encoder.3.weight", &[0, 2, 1], &[128, 3, 64]),
    ("encoder.3.reparam_conv.bias", "encoder.3.bias", &[], &[128]),
    ("decoder.rnn.weight_ih", "lstm.input.weight", &[], &[512, 128]),
    ("decoder.rnn.bias_ih", "lstm.input.bias", &[], &[512]),
    ("decoder.rnn.weight_hh", "lstm.hidden.weight", &[], &[512, 128]),
    ("decoder.rnn.bias_hh", "lstm.hidden.bias", &[], &[512]),
    ("decoder.decoder.2.weight", "output.weight", &[], &[1, 128]),
    ("decoder.decoder.2.bias", "output.bias", &[], &[1]),
];

/// What stands before the names of the network for 16 kHz.
fn prefix(model: &Model) -> Option<&str> {
    model.constants().find_map(|(name, t)| name.strip_suffix(BASIS).filter(|_| t.shape == BASIS_SHAPE))
}

/// Whether a file has this network.
#[must_use]
pub fn knows(model: &Model) -> bool {
    prefix(model).is_some()
}

/// The bytes of a GGUF file, from the model and all bytes of its ONNX file.
///
/// # Errors
/// `MalformedOnnx` where a tensor is missing or has another shape; `UnsupportedTensorType` where one is not FLOAT.
pub fn convert(model: &Model, file: &[u8]) -> Result<Vec<u8>> {
    let Some(prefix) = prefix(model) else {
        bail!(MalformedOnnx, "the file has no tensor '{BASIS}' of shape {BASIS_SHAPE:?}");
    };
    let mut converter = Converter::new(model, file);
    for (from, to, axes, shape) in TENSORS {
        converter.copy(&Item { from: &format!("{prefix}{from}"), to, ty: GgmlType::F32, axes, shape })?;
    }
    let metadata = GgufWriter::default()
        .string("general.architecture", ARCHITECTURE)
        .string("general.author", "Silero Team")
        .string("general.license", "MIT")
        .string("general.source.url", "https://github.com/snakers4/silero-vad")
        .u32(&format!("{ARCHITECTURE}.sample_rate"), SAMPLE_RATE);
    converter.finish(metadata)
}
