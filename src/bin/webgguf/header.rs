//! Reading what stands before the weights of a model file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use webgguf::gguf::{Gguf, Parsed, parse};
use webgguf::tokenizer::Tokenizer;

use crate::Failure;

/// Bytes read at first: the headers of small vocabularies are shorter.
const FIRST_BYTES: u64 = 1 << 20;

pub fn read(path: &Path) -> Result<Gguf, Failure> {
    let open = || -> std::io::Result<(File, u64)> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok((file, len))
    };
    let (mut file, len) = open().map_err(|error| format!("'{}' can't be read: {error}", path.display()))?;
    let (mut head, mut wanted) = (Vec::new(), FIRST_BYTES);
    loop {
        let more = wanted.saturating_sub(head.len() as u64);
        Read::by_ref(&mut file).take(more).read_to_end(&mut head)?;
        match parse(head, Some(len))? {
            Parsed::Done { gguf, .. } => return Ok(*gguf),
            // At least twice as many, so that a long header is not parsed again for each string of it.
            Parsed::NeedBytes { n, head: read } => {
                wanted = n.max(2 * read.len() as u64);
                head = read;
            }
        }
    }
}

/// The tokenizer of a model file; what is doubtful about it goes to the error output.
pub fn read_tokenizer(path: &Path) -> Result<Tokenizer, Failure> {
    let tokenizer = Tokenizer::from_gguf(&read(path)?.metadata)?;
    for warning in tokenizer.warnings() {
        eprintln!("webgguf: warning: {warning}");
    }
    Ok(tokenizer)
}
