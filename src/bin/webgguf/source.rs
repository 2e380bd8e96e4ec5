//! Where the command reads a model from: a file, or a URL whose server answers Range requests.

use std::cell::Cell;
use std::io::Read;
use std::ops::Range;

use webgguf::Error;
use webgguf::formats::gguf::Gguf;
use webgguf::load::read_header;
use webgguf::source::{ByteSource, Chunk, FileSource, Sink};
use webgguf::speech::phonemes::Dictionary;
use webgguf::tokenizer::Tokenizer;

use crate::Failure;

/// Bytes handed on at a time.
const CHUNK_BYTES: usize = 1 << 18;
/// Bytes of a dictionary, at most: that of American English has 1.3 MB.
const MAX_DICTIONARY_BYTES: u64 = 1 << 26;

pub enum Source {
    File(FileSource),
    Http(HttpFile),
}

/// A file on a server. Its size is known once a range has come.
pub struct HttpFile {
    url: String,
    len: Cell<Option<u64>>,
}

impl Source {
    /// `location` is a path, or a URL with http or https.
    pub fn open(location: &str) -> Result<Self, Failure> {
        if location.starts_with("http://") || location.starts_with("https://") {
            return Ok(Source::Http(HttpFile { url: location.to_owned(), len: Cell::new(None) }));
        }
        Ok(Source::File(FileSource::open(location)?))
    }

    /// The bytes of a range, as far as the file goes.
    pub fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let mut sink = |chunk: Chunk<'_>| {
            chunk.append_to(&mut bytes);
            Ok(())
        };
        pollster::block_on(self.stream(range, &mut sink))?;
        Ok(bytes)
    }

    /// What stands before the weights.
    pub fn header(&self) -> Result<Gguf, Failure> {
        let (gguf, _) = pollster::block_on(read_header(self, &()))?;
        Ok(gguf)
    }
}

/// The tokenizer of a model; what is doubtful about it goes to the error output.
pub fn tokenizer(location: &str) -> Result<Tokenizer, Failure> {
    let tokenizer = Tokenizer::from_gguf(&Source::open(location)?.header()?.metadata)?;
    for warning in tokenizer.warnings() {
        eprintln!("webgguf: warning: {warning}");
    }
    Ok(tokenizer)
}

/// A dictionary of phonemes.
pub fn dictionary(location: &str) -> Result<Dictionary, Failure> {
    let bytes = Source::open(location)?.bytes(0..MAX_DICTIONARY_BYTES)?;
    Ok(Dictionary::from_bytes(&bytes).map_err(|e| format!("'{location}': {e}"))?)
}

impl ByteSource for Source {
    fn len(&self) -> Option<u64> {
        match self {
            Source::File(file) => file.len(),
            Source::Http(file) => file.len.get(),
        }
    }

    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> webgguf::Result<()> {
        match self {
            Source::File(file) => file.stream(range, sink).await,
            Source::Http(file) => file.stream(range, sink).await,
        }
    }
}

impl HttpFile {
    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> webgguf::Result<()> {
        let failed = |why: String| Error::FetchFailed(format!("'{}': {why}", self.url));
        // A range behind the end is an error to a server, and no bytes to us.
        let end = range.end.min(self.len.get().unwrap_or(u64::MAX));
        if range.start >= end {
            return Ok(());
        }
        let wanted = format!("bytes={}-{}", range.start, end - 1);
        let response = ureq::get(&self.url)
            .header("Range", &wanted)
            .header("Accept-Encoding", "identity")
            .call()
            .map_err(|e| failed(e.to_string()))?;
        let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        match response.status().as_u16() {
            206 => {
                let content_range = text("Content-Range");
                let (sent, total) = content_range.split_once('/').unwrap_or_default();
                if !sent.starts_with(&format!("bytes {}-", range.start)) {
                    return Err(failed(format!("the server answers {wanted} with Content-Range '{content_range}'")));
                }
                self.len.set(total.parse().ok());
            }
            // The whole file, of which the start will do for a header.
            200 if range.start == 0 => self.len.set(text("Content-Length").parse().ok()),
            status => return Err(failed(format!("the server answers {wanted} with status {status}, 206 is needed"))),
        }
        let mut left = end.min(self.len.get().unwrap_or(end)) - range.start;
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; CHUNK_BYTES];
        while left > 0 {
            let wanted = buffer.len().min(left as usize);
            match body.read(&mut buffer[..wanted]).map_err(|e| failed(e.to_string()))? {
                0 => return Err(failed(format!("the body ended {left} bytes early"))),
                n => {
                    sink.take(Chunk::Bytes(&buffer[..n])).await?;
                    left -= n as u64;
                }
            }
        }
        Ok(())
    }
}
