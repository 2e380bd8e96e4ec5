//! From ONNX files of networks for speech to GGUF files.

use super::{kokoro, silero_vad};
use crate::error::{Result, bail};
use crate::formats::onnx::Model;

/// A family of models that can be converted.
struct Family {
    name: &'static str,
    /// Whether the file is one of this family, by names and shapes of its tensors.
    knows: fn(&Model) -> bool,
    /// The bytes of the GGUF file, from the model and all bytes of its file.
    convert: fn(&Model, &[u8]) -> Result<Vec<u8>>,
}

const FAMILIES: [Family; 2] = [
    Family { name: "Silero VAD", knows: silero_vad::knows, convert: silero_vad::convert },
    Family { name: "Kokoro (int8)", knows: kokoro::convert::knows, convert: kokoro::convert::convert },
];

/// The bytes of a GGUF file with the model of an ONNX file, whose bytes are all given.
///
/// # Errors
/// As [`Model::parse`]; `UnsupportedArchitecture` where no family knows the model; `MalformedOnnx` and `UnsupportedTensorType` where
/// its tensors are not as the family's.
pub fn convert(file: &[u8]) -> Result<Vec<u8>> {
    let model = Model::parse(file)?;
    match FAMILIES.iter().find(|family| (family.knows)(&model)) {
        Some(family) => (family.convert)(&model, file),
        None => {
            let found = model.constants().next().map_or("none", |(name, _)| name);
            let known: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
            bail!(
                UnsupportedArchitecture,
                "the file's {} tensors (the first is '{found}') are of no model that can be converted; those are: {}",
                model.constants().count(),
                known.join(", ")
            )
        }
    }
}
