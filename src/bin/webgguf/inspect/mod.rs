//! `webgguf inspect`.

mod gguf;
mod onnx;
mod tflite;

use std::io::{Write, stdout};

use clap::Args;
use serde_json::Value as Json;
use webgguf::formats::onnx::is_onnx;
use webgguf::formats::tflite::{is_bundle, is_tflite};

use crate::Failure;
use crate::source::Source;

/// What tells the formats apart.
const HEAD_BYTES: u64 = 8;

/// Describe a model: metadata, tensors by type, memory need, and what of it is unsupported. Of a GGUF or ONNX file's URL
/// the weights are not fetched.
#[derive(Args)]
pub struct Inspect {
    /// A GGUF, TFLite or ONNX file, a MediaPipe bundle (.task), or the URL of one
    file: String,
    /// Positions to compute the memory need of a language model for
    #[arg(long)]
    context: Option<u32>,
    /// Write one JSON object, with each tensor
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub fn run(&self) -> Result<(), Failure> {
        let source = Source::open(&self.file)?;
        let head = source.bytes(0..HEAD_BYTES)?;
        let named = [".tflite", ".task"].iter().any(|end| self.file.ends_with(end));
        if named || is_tflite(&head) || is_bundle(&head) {
            let report = tflite::report(&source)?;
            return self.write(&report, tflite::text);
        }
        if self.file.ends_with(".onnx") || is_onnx(&head) {
            let report = onnx::report(&source)?;
            return self.write(&report, onnx::text);
        }
        let report = gguf::report(&source, self.context)?;
        self.write(&report, gguf::text)
    }

    fn write(&self, report: &Json, text: fn(&Json) -> String) -> Result<(), Failure> {
        match self.json {
            true => writeln!(stdout(), "{report:#}")?,
            false => stdout().write_all(text(report).as_bytes())?,
        }
        Ok(())
    }
}

fn count(n: &Json) -> String {
    let n = n.as_f64().unwrap_or_default();
    match n {
        1e9.. => format!("{:.2} B", n / 1e9),
        1e6.. => format!("{:.1} M", n / 1e6),
        _ => format!("{n}"),
    }
}

fn megabytes(n: &Json) -> String {
    format!("{:.1} MB", n.as_f64().unwrap_or_default() / 1e6)
}

/// Indices and shapes take some bytes.
fn size(bytes: &Json) -> String {
    if bytes.as_f64() < Some(1e5) { format!("{bytes} bytes") } else { megabytes(bytes) }
}

fn plain(text: &Json) -> &str {
    text.as_str().unwrap_or_default()
}

/// The elements of an array; none of anything else.
fn elements(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}
