//! Weights from the file to the GPU.
//!
//! The file's tensors are cut into spans of some megabytes; spans that follow each other come by one request, and
//! several requests are under way at a time. A span's chunks go to a staging buffer as they come; then `repack` moves
//! its rows to where kernels read them.

use std::cell::RefCell;
use std::future::poll_fn;
use std::ops::Range;
use std::rc::Rc;
use std::task::Poll;

use futures_util::future::{FutureExt, LocalBoxFuture};

use super::{Destination, Load, Tally};
use crate::error::{Result, bail};
use crate::gpu::{Buffer, Gpu, Upload, Usage};
use crate::ops::{Repacker, StagedRows};
use crate::source::{ByteSource, Chunk, Sink};

/// Bytes of a span, unless a single row is larger.
const SPAN_BYTES: u64 = 4 << 20;
/// Bytes asked for by one request, about: an answer takes a while to begin and to end.
const REQUEST_BYTES: u64 = 64 << 20;
/// Requests under way at a time.
const IN_FLIGHT: usize = 4;
/// Bytes between tensors that are cheaper read than skipped.
const MAX_GAP: u64 = 64 << 10;

/// Rows of a tensor that go to one part of a matrix, or a whole vector.
struct Piece<'a> {
    load: &'a Load,
    /// Rows of the tensor.
    rows: Range<u64>,
    /// The part of the destination matrix.
    part: usize,
    file_range: Range<u64>,
}

/// Bytes that go through a staging buffer together.
struct Span<'a> {
    range: Range<u64>,
    pieces: Vec<Piece<'a>>,
}

impl Span<'_> {
    /// The file's byte at the start of the staging buffer: words stay words there.
    fn origin(&self) -> u64 {
        self.range.start & !3
    }
}

/// Cut the loads, which are in file order, into spans.
fn spans(loads: &[Load]) -> Result<Vec<Span<'_>>> {
    let mut spans: Vec<Span<'_>> = Vec::new();
    for load in loads {
        for piece in pieces(load)? {
            match spans.last_mut() {
                Some(span)
                    if piece.file_range.end - span.range.start <= SPAN_BYTES
                        && piece.file_range.start - span.range.end <= MAX_GAP =>
                {
                    span.range.end = piece.file_range.end;
                    span.pieces.push(piece);
                }
                _ => spans.push(Span { range: piece.file_range.clone(), pieces: vec![piece] }),
            }
        }
    }
    Ok(spans)
}

/// Spans by the request that they come by, each of about `bytes` of the file.
fn requests<'s>(spans: &'s [Span<'s>], bytes: u64) -> Vec<&'s [Span<'s>]> {
    let mut start = spans.first().map_or(0, |span| span.range.start);
    spans
        .chunk_by(|span, next| {
            let follows = next.range.start - span.range.end <= MAX_GAP && next.range.end - start <= bytes;
            if !follows {
                start = next.range.start;
            }
            follows
        })
        .collect()
}

fn pieces(load: &Load) -> Result<Vec<Piece<'_>>> {
    let t = &load.tensor;
    let Destination::Rows { matrix, row0, step } = &load.destination else {
        return Ok(vec![Piece { load, rows: 0..1, part: 0, file_range: t.file_range.clone() }]);
    };
    let row_bytes = t.ty.row_bytes(t.cols())?;
    let rows_per_piece = (SPAN_BYTES / row_bytes).max(1);
    let mut pieces = Vec::new();
    for (part, p) in matrix.parts.iter().enumerate() {
        // The tensor's rows r with row0 + step * r inside the part.
        let first = u64::from(p.rows.start.saturating_sub(*row0).div_ceil(*step));
        let end = u64::from(p.rows.end.saturating_sub(*row0).div_ceil(*step)).min(t.rows());
        let mut row = first;
        while row < end {
            let rows = row..end.min(row + rows_per_piece);
            let start = t.file_range.start;
            let file_range = start + rows.start * row_bytes..start + rows.end * row_bytes;
            row = rows.end;
            pieces.push(Piece { load, rows, part, file_range });
        }
    }
    Ok(pieces)
}

/// Takes the bytes of spans that follow each other, and moves the rows of each to their destinations.
struct Stager<'a> {
    gpu: &'a Gpu,
    staging: &'a Rc<Buffer>,
    repacker: &'a Repacker,
    tally: &'a Tally<'a>,
    /// Those that are not complete; the first one is under way.
    spans: &'a [Span<'a>],
    upload: Upload<'a>,
    /// The file's next byte.
    at: u64,
    /// Until the GPU has taken the span before.
    taken: Option<LocalBoxFuture<'a, Result<()>>>,
}

impl Stager<'_> {
    /// The first span has all its bytes: move them, and begin the next one.
    async fn complete(&mut self) -> Result<()> {
        let Some((span, rest)) = self.spans.split_first() else { return Ok(()) };
        self.spans = rest;
        self.upload.finish();
        self.upload = Upload::new(self.gpu, self.staging, rest.first().map_or(0, |s| s.range.start - s.origin()));
        for piece in &span.pieces {
            let at_bytes = piece.file_range.start - span.origin();
            match &piece.load.destination {
                // Its bytes were taken as they came.
                Destination::Host(_) => {}
                Destination::Bytes { buffer, at_bytes: to } => {
                    let bytes = piece.file_range.end - piece.file_range.start;
                    self.gpu.copy(self.staging, at_bytes, buffer, *to, bytes);
                }
                Destination::Rows { matrix, row0, step } => {
                    let rows = piece.rows.start as u32..piece.rows.end as u32;
                    let staged = StagedRows { staging: self.staging, at_bytes, rows, row0: *row0, step: *step };
                    self.repacker.rows(self.gpu, &staged, matrix, piece.part)?;
                }
            }
        }
        // No more is held than two spans of each request: one that comes in, one that the GPU takes.
        match self.taken.replace(self.gpu.finish(false).boxed_local()) {
            Some(taken) => taken.await,
            None => Ok(()),
        }
    }
}

impl Sink for Stager<'_> {
    async fn take(&mut self, chunk: Chunk<'_>) -> Result<()> {
        let mut from = 0;
        while let Some(span) = self.spans.first()
            && from < chunk.len()
        {
            let left = (chunk.len() - from) as u64;
            if self.at < span.range.start {
                let gap = (span.range.start - self.at).min(left);
                from += gap as usize;
                self.at += gap;
                continue;
            }
            let bytes = (span.range.end - self.at).min(left);
            let part = from..from + bytes as usize;
            for piece in &span.pieces {
                if let Destination::Host(host) = &piece.load.destination {
                    let here = piece.file_range.start.max(self.at)..piece.file_range.end.min(self.at + bytes);
                    let of_chunk = |at: u64| chunk.byte(part.start + (at - self.at) as usize);
                    host.borrow_mut().extend(here.map(of_chunk));
                }
            }
            from = part.end;
            self.at += bytes;
            self.upload.push(&chunk, part);
            self.tally.add_weights(bytes, || span.pieces.last().and_then(|p| layer_of(&p.load.tensor.name)))?;
            if self.at == span.range.end {
                self.complete().await?;
            }
        }
        Ok(())
    }
}

fn span_bytes(spans: &[Span<'_>]) -> u64 {
    spans.iter().map(|s| s.range.end - s.range.start).sum()
}

/// Bytes that the loads take of the file.
///
/// # Errors
/// As [`stream_weights`].
pub fn load_bytes(loads: &[Load]) -> Result<u64> {
    Ok(span_bytes(&spans(loads)?))
}

/// Stream the loads' bytes into their destinations.
///
/// # Errors
/// What the source, the GPU or `events` report; the rest of the load is given up then.
pub async fn stream_weights<S: ByteSource>(gpu: &Gpu, source: &S, loads: &[Load], tally: &Tally<'_>) -> Result<()> {
    let spans = spans(loads)?;
    let total = span_bytes(&spans);
    let largest = spans.iter().map(|s| s.range.end - s.origin()).max().unwrap_or(0);
    let requests = requests(&spans, (total / IN_FLIGHT as u64).clamp(SPAN_BYTES, REQUEST_BYTES));
    let next = RefCell::new(requests.iter());
    let worker = async || {
        let staging = gpu.allocating("staging", || gpu.buffer("staging", largest, Usage::Storage)).await?;
        let repacker = Repacker::new(gpu)?;
        loop {
            let request = next.borrow_mut().next();
            let Some(&request) = request else { return Ok(()) };
            let (Some(first), Some(last)) = (request.first(), request.last()) else { continue };
            let mut stager = Stager {
                gpu,
                staging: &staging,
                repacker: &repacker,
                tally,
                spans: request,
                upload: Upload::new(gpu, &staging, first.range.start - first.origin()),
                at: first.range.start,
                taken: None,
            };
            let range = first.range.start..last.range.end;
            source.stream(range.clone(), &mut stager).await?;
            if !stager.spans.is_empty() {
                bail!(FetchFailed, "bytes {range:?} of the file are needed, and they end at {}", stager.at);
            }
            if let Some(taken) = stager.taken {
                taken.await?;
            }
        }
    };
    let n_workers = if source.random_access() { IN_FLIGHT.min(requests.len()) } else { 1 };
    // The first failure ends the others, however long they would wait.
    all((0..n_workers).map(|_| worker().boxed_local()).collect()).await
}

/// Run a few side by side until all have ended or one fails. futures-util does it for thousands, in 3 kB more of the bundle.
async fn all(mut running: Vec<LocalBoxFuture<'_, Result<()>>>) -> Result<()> {
    poll_fn(|context| {
        let mut result = Ok(());
        running.retain_mut(|one| match one.as_mut().poll(context) {
            Poll::Ready(ended) => {
                if ended.is_err() {
                    result = ended;
                }
                false
            }
            Poll::Pending => true,
        });
        if result.is_err() || running.is_empty() { Poll::Ready(result) } else { Poll::Pending }
    })
    .await
}

/// `blk.7.attn_q.weight` is of layer 7.
fn layer_of(name: &str) -> Option<u32> {
    name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::formats::gguf::{GgmlType, TensorInfo};
    use crate::ops::Matrix;

    /// Bytes that come in chunks which end anywhere.
    struct Ragged(Vec<u8>);

    impl ByteSource for Ragged {
        fn len(&self) -> Option<u64> {
            Some(self.0.len() as u64)
        }

        async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()> {
            let end = self.0.len().min(range.end as usize);
            for chunk in self.0[range.start as usize..end].chunks(100_003) {
                sink.take(Chunk::Bytes(chunk)).await?;
            }
            Ok(())
        }
    }

    fn noise(n: usize) -> Vec<u8> {
        let mut x = 1_u32;
        std::iter::repeat_with(|| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        })
        .take(n)
        .collect()
    }

    async fn words(gpu: &Gpu, buffer: &Buffer) -> Vec<u32> {
        gpu.read(buffer, buffer.bytes() as usize / 4).await.unwrap()
    }

    /// Rows of 630 bytes: spans, requests and chunks end inside words, and tensors lie apart.
    #[test]
    fn weights_come_in_whole_whatever_the_cuts() {
        const COLS: u32 = 768;
        const ROWS: u32 = 40_000;
        const VECTOR: Range<u64> = 64..1264;
        let matrix_range = 1312..1312 + 630 * u64::from(ROWS);
        block_on(async {
            let gpu = Gpu::new().await.unwrap();
            let matrix = || Rc::new(Matrix::new(&gpu, "m", &[(GgmlType::Q6_K, ROWS)], COLS).unwrap());
            let vector = gpu.buffer("v", 1216, Usage::Storage).unwrap();
            let tensor = |name: &str, ty, shape: &[u32], file_range| TensorInfo {
                name: name.into(),
                ty,
                shape: shape.iter().map(|&d| d.into()).collect(),
                file_range,
            };
            let streamed = matrix();
            let loads = [
                Load {
                    tensor: tensor("v", GgmlType::F32, &[300], VECTOR),
                    destination: Destination::Bytes { buffer: vector.clone(), at_bytes: 4 },
                },
                Load {
                    tensor: tensor("m", GgmlType::Q6_K, &[ROWS, COLS], matrix_range.clone()),
                    destination: Destination::Rows { matrix: streamed.clone(), row0: 0, step: 1 },
                },
            ];
            let source = Ragged(noise(matrix_range.end as usize));
            stream_weights(&gpu, &source, &loads, &Tally::new(&(), 0)).await.unwrap();

            let at_once = matrix();
            let bytes = &source.0[matrix_range.start as usize..];
            let staging = gpu.buffer("whole", bytes.len() as u64, Usage::Storage).unwrap();
            gpu.write(&staging, 0, bytes);
            let staged = StagedRows { staging: &staging, at_bytes: 0, rows: 0..ROWS, row0: 0, step: 1 };
            Repacker::new(&gpu).unwrap().rows(&gpu, &staged, &at_once, 0).unwrap();
            let of = |m: &Matrix| m.parts.iter().flat_map(|p| [Some(p.qs.clone()), p.sc.clone()]).flatten().collect();
            let [streamed, at_once]: [Vec<Rc<Buffer>>; 2] = [of(&streamed), of(&at_once)];
            assert_eq!(streamed.len(), 2);
            for (a, b) in streamed.iter().zip(&at_once) {
                assert!(words(&gpu, a).await == words(&gpu, b).await, "a part of the matrix differs");
            }
            let v = words(&gpu, &vector).await;
            assert_eq!(bytemuck::cast_slice::<u32, u8>(&v[1..301]), &source.0[64..1264]);

            let short = Ragged(source.0[..source.0.len() - 1].to_vec());
            let error = stream_weights(&gpu, &short, &loads, &Tally::new(&(), 0)).await.unwrap_err();
            assert_eq!(error.code(), "FETCH_FAILED", "{error}");
        });
    }
}
