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
const CHUNK_BYTES: usize = 1 << 20;

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
}

fn failed(name: &str, e: &std::io::Error) -> Error {
    Error::FetchFailed(format!("'{name}' can't be read: {e}"))
}

impl ByteSource for FileSource {
    fn len(&self) -> Option<u64> {
        Some(self.len)
    }

    async fn stream(&self, range: Range<u64>, sink: &mut Sink<'_>) -> Result<()> {
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(range.start)).map_err(|e| failed(&self.name, &e))?;
        let mut left = range.end.min(self.len).saturating_sub(range.start) as usize;
        let mut buffer = vec![0; left.min(CHUNK_BYTES)];
        while left > 0 {
            let n = left.min(CHUNK_BYTES);
            file.read_exact(&mut buffer[..n]).map_err(|e| failed(&self.name, &e))?;
            sink(Chunk::Bytes(&buffer[..n]))?;
            left -= n;
        }
        Ok(())
    }
}
