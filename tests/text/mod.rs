//! What the tests of text share.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod goldens;

use std::path::PathBuf;

use webgguf::formats::gguf::{Gguf, Metadata, Parsed, parse};
use webgguf::tokenizer::Tokenizer;

/// The folder of vocabularies and templates that are too large or too foreign to be in the repository.
pub fn shared_data() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("WEBGGUF_DATA").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// A file of the shared data; says visibly that a test is left out where it is not there.
pub fn shared_file(name: &str) -> Option<PathBuf> {
    let path = shared_data().map(|folder| folder.join(name)).filter(|path| path.exists());
    if path.is_none() {
        println!("SKIP: {name} is not there; set WEBGGUF_DATA to the shared data");
    }
    path
}

pub fn header(bytes: &[u8]) -> Gguf {
    match parse(bytes.to_vec(), Some(bytes.len() as u64)).expect("a GGUF file") {
        Parsed::Done { gguf, .. } => *gguf,
        Parsed::NeedBytes { n, .. } => panic!("the file ends, {n} bytes are needed"),
    }
}

pub fn metadata(bytes: &[u8]) -> Metadata {
    header(bytes).metadata
}

pub fn shared_tokenizer(name: &str) -> Option<Tokenizer> {
    let bytes = std::fs::read(shared_file(name)?).expect("a readable file");
    Some(Tokenizer::from_gguf(&metadata(&bytes)).expect("a tokenizer"))
}
