//! What the native tests share.
#![allow(dead_code, reason = "each test uses some of it")]

use std::path::{Path, PathBuf};
use std::rc::Rc;

use webgguf::gpu::Gpu;
use webgguf::model::LoadOptions;
use webgguf::session::Session;
use webgguf::source::FileSource;

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

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

/// The model of a file, on the GPU with or without subgroups.
pub fn load(path: &Path, subgroups: bool) -> Rc<Session> {
    pollster::block_on(async {
        let gpu = Gpu::new().await.unwrap();
        let gpu = if subgroups { gpu } else { gpu.without_subgroups() };
        let source = FileSource::open(path).unwrap();
        Rc::new(Session::load_on(gpu, &source, &LoadOptions::default(), &()).await.unwrap())
    })
}

/// A NumPy array of f32 in C order.
pub struct Npy {
    pub data: Vec<f32>,
}

impl Npy {
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(&bytes[..6], b"\x93NUMPY");
        let header_bytes = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
        let header = std::str::from_utf8(&bytes[10..10 + header_bytes]).unwrap();
        assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
        let data = bytes[10 + header_bytes..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        Npy { data: data.collect() }
    }
}
