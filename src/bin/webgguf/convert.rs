//! `webgguf convert`.

use clap::Args;
use webgguf::hands::convert::convert;

use crate::Failure;

/// Convert MediaPipe's networks for hands to one GGUF file
#[derive(Args)]
pub struct Convert {
    /// TFLite files, one for palms and one for landmarks, or either, and the GGUF file to write
    #[arg(num_args = 2..=3, required = true, value_names = ["TFLITE", "TFLITE", "GGUF"])]
    files: Vec<String>,
}

impl Convert {
    pub fn run(&self) -> Result<(), Failure> {
        let [inputs @ .., output] = &self.files[..] else { return Err("no files are named".into()) };
        let inputs = inputs.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>();
        let inputs = inputs?;
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        Ok(std::fs::write(output, convert(&inputs)?)?)
    }
}
