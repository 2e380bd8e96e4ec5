//! MediaPipe's `.task` files: a zip of TFLite files, stored without compression, so that they can be read where they
//! are (MediaPipe refuses others).

use std::ops::Range;

use super::flatbuffer::Budget;
use super::zip::{LOCAL, entries};
use super::{Model, is_tflite};
use crate::error::{Error, Result, bail};

/// A bundle may hold bundles; the ones that are known do so once.
const MAX_DEPTH: usize = 3;

/// A model, and the name of its file in a bundle; files of bundles in a bundle have both names.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub name: Option<String>,
    /// Its ranges are of the whole file.
    pub model: Model,
    /// Where it lies in the whole file.
    pub file_range: Range<u64>,
}

/// Whether a file that starts so is a bundle. MediaPipe's writer puts up to four zeros before the first file, to align
/// it.
#[must_use]
pub fn is_bundle(head: &[u8]) -> bool {
    (0..=4).any(|n| head.get(..n).is_some_and(|z| z.iter().all(|&b| b == 0)) && head[n..].starts_with(LOCAL))
}

/// The models of a file: of a TFLite file the one, of a bundle each that is in it. `bytes` are all of the file's.
///
/// # Errors
/// `MalformedTflite`; `UnsupportedArchitecture` for zips that are no bundles: compressed, encrypted, zip64. And as
/// [`Model::parse`].
pub fn models(bytes: &[u8]) -> Result<Vec<Named>> {
    if !is_bundle(bytes) {
        let file_range = 0..bytes.len() as u64;
        return Ok(vec![Named { name: None, model: Model::parse(bytes)?, file_range }]);
    }
    let mut bundle = Bundle { bytes, budget: Budget::new(), models: Vec::new() };
    bundle.collect(0..bytes.len(), "", 1)?;
    if bundle.models.is_empty() {
        bail!(MalformedTflite, "the bundle has no TFLite file, one or more are needed");
    }
    Ok(bundle.models)
}

/// A bundle's bytes, and what has been found in it.
struct Bundle<'a> {
    bytes: &'a [u8],
    /// Of all models together.
    budget: Budget,
    models: Vec<Named>,
}

impl Bundle<'_> {
    /// The models in a range of the file, whose names begin with `prefix`.
    fn collect(&mut self, bundle: Range<usize>, prefix: &str, depth: usize) -> Result<()> {
        for entry in entries(&self.bytes[bundle.clone()])? {
            let range = bundle.start + entry.data.start..bundle.start + entry.data.end;
            let (data, name) = (&self.bytes[range.clone()], format!("{prefix}{}", entry.name));
            if is_bundle(data) {
                if depth == MAX_DEPTH {
                    bail!(MalformedTflite, "'{name}' is a bundle inside {depth} others, {} are allowed", depth - 1);
                }
                self.collect(range, &format!("{name}/"), depth + 1)?;
            } else if is_tflite(data) || name.ends_with(".tflite") {
                self.budget.charge(size_of::<Named>() + name.len(), format_args!("'{name}'"))?;
                let mut model = Model::parse_within(data, &self.budget).map_err(|e| of_file(&name, e))?;
                model.move_by(range.start as u64);
                let file_range = range.start as u64..range.end as u64;
                self.models.push(Named { name: Some(name), model, file_range });
            }
        }
        Ok(())
    }
}

/// The reader's error, with the file's name.
fn of_file(name: &str, error: Error) -> Error {
    let with_name = |why| format!("'{name}': {why}");
    match error {
        Error::MalformedTflite(why) => Error::MalformedTflite(with_name(why)),
        Error::UnsupportedTensorType(why) => Error::UnsupportedTensorType(with_name(why)),
        Error::UnsupportedArchitecture(why) => Error::UnsupportedArchitecture(with_name(why)),
        other => other,
    }
}
