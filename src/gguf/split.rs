//! Models split into several files, as `llama-gguf-split` makes them: each is a GGUF file with tensors of its own,
//! `split.no` counts them from 0, `split.count` says how many there are and `split.tensors.count` how many tensors they
//! have together. The first file has the model's metadata.

use std::collections::HashSet;

use super::Gguf;
use crate::error::{Result, bail};

const COUNT: &str = "split.count";
const NO: &str = "split.no";
const TENSORS: &str = "split.tensors.count";

/// One header of all files' headers, whose tensors have been moved to different addresses. The order of the files
/// does not matter.
///
/// # Errors
/// `MalformedGguf` where files are missing, there twice, or of different models.
pub fn join(files: Vec<Gguf>) -> Result<Gguf> {
    let n_files = files.len() as u32;
    let mut numbers = HashSet::new();
    for file in &files {
        let count = file.metadata.u32(COUNT)?.unwrap_or(1).max(1);
        let no = file.metadata.u32(NO)?.unwrap_or(0);
        if count != n_files {
            bail!(
                MalformedGguf,
                "the file is part {} of a model of {count} files, {n_files} were given; give the address of a part that \
                 ends in -00001-of-{count:05}.gguf, or all files",
                no.saturating_add(1)
            );
        }
        if no >= count {
            bail!(MalformedGguf, "metadata '{NO}' is {no}, {} at most is allowed", count - 1);
        }
        if !numbers.insert(no) {
            bail!(MalformedGguf, "part {} of the model's {count} files was given twice", no + 1);
        }
    }
    let mut parts: Vec<(u32, Gguf)> = Vec::new();
    for file in files {
        parts.push((file.metadata.u32(NO)?.unwrap_or(0), file));
    }
    parts.sort_by_key(|(no, _)| *no);
    let mut parts = parts.into_iter().map(|(_, file)| file);
    let Some(mut model) = parts.next() else { bail!(Internal, "a model of no files") };
    for part in parts {
        model.tensors.extend(part.tensors);
    }
    let n_tensors = model.tensors.len() as u32;
    if let Some(promised) = model.metadata.u32(TENSORS)?.filter(|&n| n_files > 1 && n != n_tensors) {
        bail!(
            MalformedGguf,
            "metadata '{TENSORS}' is {promised}, the model's {n_files} files have {n_tensors} tensors"
        );
    }
    let mut names = HashSet::new();
    if let Some(twice) = model.tensors.iter().find(|t| !names.insert(t.name.as_str())) {
        bail!(MalformedGguf, "tensor '{}' is in two of the model's {n_files} files", twice.name);
    }
    Ok(model)
}
