//! A file on disk.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use super::{ByteSource, Chunk, Sink};
use crate::error::{Error, Result};

/// A file, read with blocking I/O: the native command has nothing else to do meanwhile.
pub struct FileSource {
    file: RefCell<File>,
    len: u64,
    name: String,
}

/// Bytes handed on at a time.
const CHUNK_BYTES: u64 = 1 << 20;

impl FileSource {
    /// # Errors
    /// `FetchFailed` where the file can't be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let open = || {
            let file = File::open(&path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(|e| failed(&name, &e))?;
        Ok(FileSource { file: RefCell::new(file), len, name })
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    }
}

fn failed(name: &str, e: &std::io::Error) -> Error {
    Error::FetchFailed(format!("'{name}' can't be read: {e}"))
}

impl ByteSource for FileSource {
    fn len(&self) -> Option<u64> {
        Some(self.len)
    }

    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()> {
        let end = range.end.min(self.len);
        let mut at = range.start;
        let mut buffer = vec![0; end.saturating_sub(at).min(CHUNK_BYTES) as usize];
        while at < end {
            let chunk = &mut buffer[..(end - at).min(CHUNK_BYTES) as usize];
            self.read(at, chunk).map_err(|e| failed(&self.name, &e))?;
            sink.take(Chunk::Bytes(chunk)).await?;
            at += chunk.len() as u64;
        }
        Ok(())
    }
}
