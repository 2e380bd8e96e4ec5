//! `webgguf convert`.

use clap::Args;
use webgguf::formats::npz;
use webgguf::formats::onnx::is_onnx;
use webgguf::{hands, speech};

use crate::Failure;

/// Convert MediaPipe's networks for hands, an ONNX file with a network for speech, or an archive of voices (.npz), to one GGUF file
#[derive(Args)]
pub struct Convert {
    /// An ONNX file, an archive of voices, or TFLite files, one for palms and one for landmarks, or either; and the GGUF file to write
    #[arg(num_args = 2..=3, required = true, value_names = ["FILE", "FILE", "GGUF"])]
    files: Vec<String>,
}

impl Convert {
    pub fn run(&self) -> Result<(), Failure> {
        let [inputs @ .., output] = &self.files[..] else { return Err("no files are named".into()) };
        let files = inputs.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let is_onnx = |i: usize| inputs[i].ends_with(".onnx") || is_onnx(files[i]);
        let is_npz = |i: usize| npz::is_npz(files[i]);
        let converted = match (0..files.len()).find(|&i| is_onnx(i)) {
            None if files.len() == 1 && is_npz(0) => speech::kokoro::voices::convert(files[0])?,
            None => hands::convert::convert(&files)?,
            Some(0) if files.len() == 1 => speech::convert::convert(files[0])?,
            Some(i) => return Err(format!("'{}' is an ONNX file, which is converted by itself", inputs[i]).into()),
        };
        Ok(std::fs::write(output, converted)?)
    }
}
