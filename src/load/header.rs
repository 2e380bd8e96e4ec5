//! The header of a file: as many bytes as it takes, and what it says.

use super::{LoadEvents, LoadProgress};
use crate::error::{Result, bail};
use crate::formats::gguf::{self, Gguf, Parsed};
use crate::source::{Buffered, ByteSource, Chunk, PART_STRIDE};

/// What is read first of a file: most headers without a vocabulary's merges fit.
const HEAD_BYTES: u64 = 1 << 20;

/// Read as much of the file as its header takes, and parse it; of a split model, those of all files. What was read
/// beyond the headers is kept for the weights.
///
/// # Errors
/// As [`gguf::parse`], [`gguf::join`] and [`ByteSource::stream`].
pub async fn read_header<'s, S: ByteSource>(source: &'s S, events: &dyn LoadEvents) -> Result<(Gguf, Buffered<'s, S>)> {
    let mut headers = Vec::new();
    let mut here = Vec::new();
    for part in 0..source.n_parts() {
        let base = part as u64 * PART_STRIDE;
        let (mut gguf, rest) = read_part(source, part, events).await?;
        if gguf.end() > PART_STRIDE {
            bail!(MalformedGguf, "the file's tensors end at byte {}, {PART_STRIDE} at most is allowed", gguf.end());
        }
        here.push((base + gguf.data_offset, rest));
        gguf.move_by(base);
        headers.push(gguf);
    }
    Ok((gguf::join(headers)?, Buffered { source, here }))
}

/// The header of a file, and what was read beyond it.
async fn read_part<S: ByteSource>(source: &S, part: usize, events: &dyn LoadEvents) -> Result<(Gguf, Vec<u8>)> {
    let base = part as u64 * PART_STRIDE;
    let mut head = Vec::new();
    let mut wanted = HEAD_BYTES;
    loop {
        let from = head.len() as u64;
        let mut sink = |chunk: Chunk<'_>| {
            events.check()?;
            chunk.append_to(&mut head);
            events.progress(LoadProgress::header(head.len() as u64, source.part_len(part).unwrap_or(0)));
            Ok(())
        };
        source.stream(base + from..base + wanted, &mut sink).await?;
        let ended = (head.len() as u64) < wanted;
        match gguf::parse(head, source.part_len(part))? {
            Parsed::Done { gguf, rest } => return Ok((*gguf, rest)),
            Parsed::NeedBytes { head, .. } if ended => {
                bail!(MalformedGguf, "the file ends at byte {}, inside its header (truncated?)", head.len())
            }
            // Twice as much: a header is parsed a few times, not once a metadata pair.
            Parsed::NeedBytes { n, head: bytes } => {
                head = bytes;
                wanted = n.max((2 * wanted).min(gguf::MAX_HEADER_BYTES));
            }
        }
    }
}
