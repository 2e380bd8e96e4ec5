//! Models split into several files, as `llama-gguf-split` makes them: each is a GGUF file with tensors of its own,
//! `split.no` counts them from 0, `split.count` says how many there are and `split.tensors.count` how many tensors they
//! have together. The first file has the model's metadata.

use super::Gguf;
use crate::error::{Result, bail};
use crate::order::{sort, twice};

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
    let mut numbers = Vec::new();
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
        if numbers.contains(&no) {
            bail!(MalformedGguf, "part {} of the model's {count} files was given twice", no + 1);
        }
        numbers.push(no);
    }
    let mut parts: Vec<(u32, Gguf)> = Vec::new();
    for file in files {
        parts.push((file.metadata.u32(NO)?.unwrap_or(0), file));
    }
    sort(&mut parts, |a, b| a.0 < b.0);
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
    let tensors = &model.tensors;
    if let Some(i) = twice(tensors.len(), &|i, j| tensors[i].name.cmp(&tensors[j].name)) {
        bail!(MalformedGguf, "tensor '{}' is in two of the model's {n_files} files", tensors[i].name);
    }
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::gguf::{Parsed, parse};

    /// A header with u32 metadata and one-element F32 tensors.
    fn file(metadata: &[(&str, u32)], tensors: &[&str]) -> Gguf {
        let mut head = b"GGUF\x03\0\0\0".to_vec();
        let name = |head: &mut Vec<u8>, s: &str| {
            head.extend((s.len() as u64).to_le_bytes());
            head.extend(s.as_bytes());
        };
        head.extend((tensors.len() as u64).to_le_bytes());
        head.extend((metadata.len() as u64).to_le_bytes());
        for (key, value) in metadata {
            name(&mut head, key);
            head.extend(4u32.to_le_bytes());
            head.extend(value.to_le_bytes());
        }
        for (i, tensor) in tensors.iter().enumerate() {
            name(&mut head, tensor);
            head.extend(1u32.to_le_bytes());
            head.extend(1u64.to_le_bytes());
            head.extend(0u32.to_le_bytes());
            head.extend((32 * i as u64).to_le_bytes());
        }
        match parse(head, None).expect("a sound header") {
            Parsed::Done { gguf, .. } => *gguf,
            Parsed::NeedBytes { n, .. } => panic!("{n} bytes are needed"),
        }
    }

    fn part(no: u32, count: u32, tensors: &[&str]) -> Gguf {
        file(&[(NO, no), (COUNT, count), (TENSORS, 3), ("own", no)], tensors)
    }

    fn message(files: Vec<Gguf>) -> String {
        join(files).expect_err("an error").to_string()
    }

    #[test]
    fn parts_in_any_order_are_one_model_with_the_first_ones_metadata() {
        let model = join(vec![part(1, 2, &["b", "c"]), part(0, 2, &["a"])]).expect("a model");
        assert_eq!(model.metadata.u32("own"), Ok(Some(0)));
        let names: Vec<&str> = model.tensors.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn a_file_that_is_not_split_stays_as_it_is() {
        let single = file(&[], &["a"]);
        assert_eq!(join(vec![single.clone()]), Ok(single));
    }

    #[test]
    fn wrong_parts_are_errors() {
        assert!(message(vec![part(1, 3, &["a"])]).contains("part 2 of a model of 3 files, 1 were given"));
        assert!(message(vec![part(0, 2, &["a"]), part(0, 2, &["b", "c"])]).contains("part 1 of the model's 2 files"));
        assert!(message(vec![part(0, 2, &["a"]), part(2, 2, &["b", "c"])]).contains("'split.no' is 2, 1 at most"));
        assert!(message(vec![part(0, 2, &["a"]), part(1, 2, &["b"])]).contains("is 3, the model's 2 files have 2"));
        assert!(message(vec![part(0, 2, &["a"]), part(1, 2, &["a", "b"])]).contains("tensor 'a' is in two"));
        assert!(message(vec![file(&[], &["a"]), file(&[], &["b"])]).contains("a model of 1 files, 2 were given"));
        assert!(message(vec![part(u32::MAX, u32::MAX, &["a"])]).contains("4294967295 files"));
    }
}
