//! An ONNX file without the data of its tensors.

use crate::error::Result;
use crate::formats::onnx::{Model, Reader};
use crate::source::{ByteSource, Chunk};

/// Bytes asked for at a time. Data that is shorter is read, as asking again takes longer.
const PIECE_BYTES: u64 = 1 << 18;

/// Read a file's description; the data of its tensors is left out where the source can leave it out.
///
/// # Errors
/// As [`Reader::feed`], [`Reader::finish`] and [`ByteSource::stream`].
pub async fn read_onnx(source: &impl ByteSource) -> Result<Model> {
    let mut reader = Reader::new(source.len())?;
    loop {
        let from = reader.position();
        let end = if source.random_access() { from + PIECE_BYTES } else { u64::MAX };
        let mut at = from;
        let mut bytes = Vec::new();
        let mut sink = |chunk: Chunk<'_>| {
            bytes.clear();
            chunk.append_to(&mut bytes);
            reader.feed(at, &bytes)?;
            at += bytes.len() as u64;
            Ok(())
        };
        source.stream(from..end, &mut sink).await?;
        if at < end {
            return reader.finish();
        }
    }
}
