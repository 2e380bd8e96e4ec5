//! Test data that is not in the repository. Nothing here knows the crate.

use std::path::PathBuf;

use super::repository;

/// A file of the shared test data, or a visible SKIP where it is not there.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WEBGGUF_DATA").map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("SKIP: {} is not there", file.display());
    None
}
