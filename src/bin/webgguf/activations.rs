//! `webgguf activations`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use webgguf::llm::{Activation, LoadOptions, Session};
use webgguf::ops::KvType;

use crate::Failure;
use crate::source::Source;

/// Write every named intermediate of a prompt as NumPy arrays, under llama.cpp's node names: `prefill/NAME.npy`,
/// then `decode-1/NAME.npy` and so on.
#[derive(Args)]
pub struct Activations {
    /// A GGUF file or its URL
    file: String,
    #[arg(long)]
    prompt: String,
    /// Greedy steps after the prompt
    #[arg(long, default_value_t = 0)]
    decode_steps: usize,
    /// The folder to write to
    #[arg(long)]
    out: PathBuf,
}

impl Activations {
    pub fn run(&self) -> Result<(), Failure> {
        let source = Source::open(&self.file)?;
        let steps = pollster::block_on(async {
            // What references are compared with.
            let options = LoadOptions { kv_type: Some(KvType::F32), ..LoadOptions::default() };
            let session = Session::load(&source, &options, &()).await?;
            session.capture(&session.text.prompt_ids(&self.prompt), self.decode_steps).await
        })?;
        for (i, step) in steps.iter().enumerate() {
            let folder = self.out.join(if i == 0 { "prefill".to_owned() } else { format!("decode-{i}") });
            fs::create_dir_all(&folder)?;
            for activation in step {
                write(&folder, activation)?;
            }
            println!("{}: {} arrays", folder.display(), step.len());
        }
        Ok(())
    }
}

/// Format 1.0 of <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>, `(rows, width)` of f32.
fn write(folder: &Path, a: &Activation) -> Result<(), Failure> {
    let dict = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", a.rows, a.width);
    // Magic, version, length and dict make up a multiple of 64 bytes and end with a line.
    let len = (10 + dict.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((len as u16).to_le_bytes());
    bytes.extend(format!("{dict:<width$}\n", width = len - 1).bytes());
    bytes.extend(a.data.iter().flat_map(|v| v.to_le_bytes()));
    fs::write(folder.join(format!("{}.npy", a.name)), bytes)?;
    Ok(())
}
