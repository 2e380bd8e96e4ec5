//! Loading: from the file's bytes to weights on the GPU, past the host's memory.
//!
//! The file's tensors are cut into spans of some megabytes, several of which are under way at a time. A span's
//! chunks go to a staging buffer as they come; then `repack` moves its rows to where kernels read them.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use futures_util::future::try_join_all;

use super::weights::{Destination, Load};
use crate::error::{Result, bail};
use crate::gguf::{self, Gguf, Parsed};
use crate::gpu::{DeviceProfile, Gpu, Upload, Usage};
use crate::ops::{KvType, Repacker, StagedRows};
use crate::source::{Buffered, ByteSource, Chunk, PART_STRIDE};

/// Bytes of a span, unless a single row is larger.
const SPAN_BYTES: u64 = 8 << 20;
/// Spans under way at a time.
const IN_FLIGHT: usize = 4;
/// What is read first of a file: most headers without a vocabulary's merges fit.
const HEAD_BYTES: u64 = 1 << 20;
/// Bytes between tensors that are cheaper read than skipped.
const MAX_GAP: u64 = 64 << 10;

/// How a model is to be loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Positions the KV cache holds; `None` takes the model's own, up to a default.
    pub context_length: Option<u32>,
    /// Tokens of a prefill batch.
    pub n_batch: u32,
    /// Of the KV cache; `None` takes the device's.
    pub kv_type: Option<KvType>,
    pub profile: DeviceProfile,
    /// Bytes of GPU memory that the model may take; `None` where nothing is known of what there is.
    pub memory_budget: Option<u64>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            context_length: None,
            n_batch: 512,
            kv_type: None,
            profile: DeviceProfile::Full,
            memory_budget: None,
        }
    }
}

/// Where the time of a load went, in milliseconds. Weights come in while kernels compile.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadTimes {
    pub header: f64,
    pub gpu: f64,
    /// Allocating buffers and recording plans.
    pub plans: f64,
    pub weights: f64,
    pub compile: f64,
}

/// Milliseconds since then.
pub fn ms(since: web_time::Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// What a load is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadPhase {
    Header,
    Weights,
    Ready,
}

impl LoadPhase {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LoadPhase::Header => "header",
            LoadPhase::Weights => "weights",
            LoadPhase::Ready => "ready",
        }
    }
}

/// Hears of a load's progress, and can end it.
pub trait LoadEvents {
    /// `layer` is the one whose weights came in last.
    fn progress(&self, _phase: LoadPhase, _loaded_bytes: u64, _total_bytes: u64, _layer: Option<u32>) {}

    /// # Errors
    /// `Aborted` where the caller wants no more.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

impl LoadEvents for () {}

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
            events.progress(LoadPhase::Header, head.len() as u64, source.part_len(part).unwrap_or(0), None);
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

/// Rows of a tensor that go to one part of a matrix, or a whole vector.
struct Piece<'a> {
    load: &'a Load,
    /// Rows of the tensor.
    rows: Range<u64>,
    /// The part of the destination matrix.
    part: usize,
    file_range: Range<u64>,
}

struct Span<'a> {
    range: Range<u64>,
    pieces: Vec<Piece<'a>>,
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
                // Uploads write whole words.
                _ => spans.push(Span { range: piece.file_range.start & !3..piece.file_range.end, pieces: vec![piece] }),
            }
        }
    }
    Ok(spans)
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

/// Stream the loads' bytes into their destinations.
///
/// # Errors
/// What the source, the GPU or `events` report; the rest of the load is given up then.
pub(super) async fn stream_weights<S: ByteSource>(
    gpu: &Gpu,
    source: &S,
    loads: &[Load],
    events: &dyn LoadEvents,
) -> Result<()> {
    let spans = spans(loads)?;
    let total: u64 = spans.iter().map(|s| s.range.end - s.range.start).sum();
    let largest = spans.iter().map(|s| s.range.end - s.range.start).max().unwrap_or(0);
    let loaded = Cell::new(0);
    let next = RefCell::new(spans.iter());
    events.progress(LoadPhase::Weights, 0, total, None);
    let worker = async || {
        let staging = gpu.allocating("staging", || gpu.buffer("staging", largest, Usage::Storage)).await?;
        let repacker = Repacker::new(gpu)?;
        loop {
            let span = next.borrow_mut().next();
            let Some(span) = span else { return Ok(()) };
            let layer = span.pieces.last().and_then(|p| layer_of(&p.load.tensor.name));
            let mut upload = Upload::new(gpu, &staging);
            let mut taken = 0;
            let mut sink = |chunk: Chunk<'_>| {
                events.check()?;
                taken += chunk.len() as u64;
                upload.push(&chunk);
                loaded.set(loaded.get() + chunk.len() as u64);
                events.progress(LoadPhase::Weights, loaded.get(), total, layer);
                Ok(())
            };
            source.stream(span.range.clone(), &mut sink).await?;
            let asked = span.range.end - span.range.start;
            if taken != asked {
                bail!(FetchFailed, "{taken} bytes came of bytes {:?} of the file, {asked} are needed", span.range);
            }
            upload.finish();
            for piece in &span.pieces {
                let at_bytes = piece.file_range.start - span.range.start;
                match &piece.load.destination {
                    Destination::Bytes { buffer, at_bytes: to } => {
                        gpu.copy(&staging, at_bytes, buffer, *to, piece.file_range.end - piece.file_range.start);
                    }
                    Destination::Rows { matrix, row0, step } => {
                        let rows = piece.rows.start as u32..piece.rows.end as u32;
                        let staged = StagedRows { staging: &staging, at_bytes, rows, row0: *row0, step: *step };
                        repacker.rows(gpu, &staged, matrix, piece.part)?;
                    }
                }
            }
            // The next span waits until the GPU has taken this one: no more is held than is in flight.
            gpu.finish().await?;
        }
    };
    let n_workers = if source.random_access() { IN_FLIGHT.min(spans.len()) } else { 1 };
    // The first failure ends the others, however long they would wait.
    try_join_all((0..n_workers).map(|_| worker())).await?;
    Ok(())
}

/// `blk.7.attn_q.weight` is of layer 7.
fn layer_of(name: &str) -> Option<u32> {
    name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}
