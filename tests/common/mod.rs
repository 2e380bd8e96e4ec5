//! What the native tests share.
#![allow(dead_code, unused_imports, reason = "each test uses some of it")]

mod data;
mod shared;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use webgguf::gpu::Gpu;
use webgguf::llm::LoadOptions;
use webgguf::llm::Session;
use webgguf::source::FileSource;

pub use data::*;
pub use shared::shared;

/// The file of a model: the page ships one, the others are fixtures.
pub fn model_file(name: &str) -> PathBuf {
    let files = ["tests/fixtures/models", "www/models"].map(|d| repository().join(d).join(format!("{name}.gguf")));
    files.into_iter().find(|file| file.exists()).unwrap_or_else(|| panic!("no model {name}"))
}

/// The model of a file, on the GPU with or without subgroups.
pub fn load(path: &Path, subgroups: bool) -> Rc<Session> {
    load_with(path, subgroups, &LoadOptions::default())
}

pub fn load_with(path: &Path, subgroups: bool, options: &LoadOptions) -> Rc<Session> {
    let gpu = pollster::block_on(Gpu::new()).unwrap();
    load_on(if subgroups { gpu } else { gpu.without_subgroups() }, path, options)
}

pub fn load_on(gpu: Gpu, path: &Path, options: &LoadOptions) -> Rc<Session> {
    let source = FileSource::open(path).unwrap();
    let session = pollster::block_on(Session::load_on(gpu, &source, options, &())).unwrap();
    // What the header said is what was allocated.
    assert_eq!(session.model.gpu.allocated_bytes(), session.model.need.bytes.total(), "{}", path.display());
    session
}
