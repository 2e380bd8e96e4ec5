//! Voices: styles by the number of a text's symbols.

use std::cell::RefCell;
use std::rc::Rc;

use super::STYLE;
use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, GgufWriter, NewTensor, write};
use crate::formats::npz;
use crate::gpu::Gpu;
use crate::load::{Destination, Load, LoadEvents, Tally, load_bytes, read_header, stream_weights};
use crate::order::sort;
use crate::source::ByteSource;

/// The bytes of a GGUF file with the voices of an archive of arrays, each `(rows, 1, 256)` or `(rows, 256)`.
///
/// # Errors
/// As [`npz::arrays`]; `InvalidArgument` where an array has another shape.
pub fn convert(file: &[u8]) -> Result<Vec<u8>> {
    let mut tensors = Vec::new();
    for array in npz::arrays(file)? {
        let (rows, width) = match array.shape[..] {
            [rows @ 1..=MAX_ROWS, 1, width] | [rows @ 1..=MAX_ROWS, width] => (rows, width),
            _ => (0, 0),
        };
        if width != 2 * u64::from(STYLE) {
            let (name, shape) = (&array.name, &array.shape);
            bail!(InvalidArgument, "array '{name}' has shape {shape:?}; a voice has rows of {} numbers", 2 * STYLE);
        }
        tensors.push(NewTensor {
            name: format!("{PREFIX}{}", array.name),
            ty: GgmlType::F32,
            shape: vec![rows as u32, width as u32],
            bytes: file[array.range].to_vec(),
        });
    }
    write(GgufWriter::default().string("general.architecture", VOICES_ARCHITECTURE), &tensors)
}

/// Voices by name, each `(rows, 256)`.
pub struct Voices {
    voices: Vec<(String, Vec<f32>)>,
}

/// `general.architecture` of a file with voices.
pub const VOICES_ARCHITECTURE: &str = "kokoro-voices";
/// What the names of voices' tensors begin with.
const PREFIX: &str = "voice.";
/// Rows of a voice, at most: texts have fewer symbols.
const MAX_ROWS: u64 = 4096;

impl Voices {
    /// Voices of a GGUF file: tensors `voice.NAME (rows, 256)` F32.
    ///
    /// # Errors
    /// `MalformedGguf` where there are none, or one has another shape; `UnsupportedTensorType` where it is not F32; what the source reports.
    pub async fn load<S: ByteSource>(gpu: &Gpu, source: &S, events: &dyn LoadEvents) -> Result<Self> {
        let (gguf, source) = read_header(source, events).await?;
        let mut hosts = Vec::new();
        let mut loads = Vec::new();
        for t in gguf.tensors.iter() {
            let Some(name) = t.name.strip_prefix(PREFIX) else { continue };
            let &[1..=MAX_ROWS, width] = &t.shape[..] else {
                bail!(MalformedGguf, "tensor '{}' has shape {:?}", t.name, t.shape)
            };
            if width != 2 * u64::from(STYLE) {
                bail!(MalformedGguf, "tensor '{}' has rows of {width}, {} are needed", t.name, 2 * STYLE);
            }
            if t.ty != GgmlType::F32 {
                bail!(UnsupportedTensorType, "tensor '{}' has type {}, F32 is needed", t.name, t.ty);
            }
            let host = Rc::new(RefCell::new(Vec::new()));
            loads.push(Load { tensor: t.clone(), destination: Destination::Host(host.clone()) });
            hosts.push((name.to_owned(), host));
        }
        if hosts.is_empty() {
            bail!(MalformedGguf, "the file has no voices, tensors '{PREFIX}NAME'");
        }
        sort(&mut loads, |a, b| a.tensor.file_range.start < b.tensor.file_range.start);
        let tally = Tally::new(events, load_bytes(&loads)?);
        stream_weights(gpu, &source, &loads, &tally).await?;
        let voice = |(name, host): (String, Rc<RefCell<Vec<u8>>>)| {
            (name, host.borrow().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        };
        Ok(Voices { voices: hosts.into_iter().map(voice).collect() })
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.voices.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The style `(256)` of a voice for a text of `n_symbols`.
    ///
    /// # Errors
    /// `InvalidArgument` where there is no such voice.
    pub fn style(&self, name: &str, n_symbols: usize) -> Result<&[f32]> {
        let Some((_, rows)) = self.voices.iter().find(|(n, _)| n == name) else {
            bail!(InvalidArgument, "there is no voice '{name}'; there are {}", self.names().join(", "));
        };
        let width = 2 * STYLE as usize;
        let row = n_symbols.saturating_sub(1).min(rows.len() / width - 1);
        Ok(&rows[row * width..][..width])
    }

    /// The style of a mixture of voices, each with its weight; only their proportions count.
    ///
    /// # Errors
    /// As [`Voices::style`]; `InvalidArgument` where there is none, a weight is below 0, or all are 0.
    pub fn mixed(&self, mixture: &[(String, f32)], n_symbols: usize) -> Result<Vec<f32>> {
        let total: f32 = mixture.iter().map(|(_, weight)| weight).sum();
        if !(total > 0.0 && total.is_finite()) || mixture.iter().any(|&(_, weight)| weight < 0.0) {
            bail!(
                InvalidArgument,
                "the voice is a mixture of weights {mixture:?}; numbers from 0 on are allowed, one above 0"
            );
        }
        let mut style = vec![0.0; 2 * STYLE as usize];
        for (name, weight) in mixture {
            for (sum, v) in style.iter_mut().zip(self.style(name, n_symbols)?) {
                *sum += v * weight / total;
            }
        }
        Ok(style)
    }
}
