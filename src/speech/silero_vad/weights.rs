//! The network's weights, from a GGUF file.

use super::convert::TENSORS;
use super::network::Network;
use super::{ARCHITECTURE, SAMPLE_RATE};
use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, Gguf, TensorInfo};
use crate::load::{LoadEvents, LoadProgress, Tally, read_header};
use crate::order::order;
use crate::source::{ByteSource, Chunk};

/// A matrix `(N, K)`, and a bias.
pub struct Layer {
    weight: Vec<f32>,
    /// `(N)`
    bias: Vec<f32>,
}

/// Four sums side by side, written out: the release profile optimises for size, which leaves loops over lanes as they are.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let [mut s, mut t, mut u, mut v] = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        s += a[0] * b[0];
        t += a[1] * b[1];
        u += a[2] * b[2];
        v += a[3] * b[3];
    }
    (s + t) + (u + v) + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

impl Layer {
    /// K: the numbers that a row is multiplied with.
    pub fn width(&self) -> usize {
        self.weight.len() / self.bias.len()
    }

    /// `y (N) = w (N, K) . x (K) + bias`
    pub fn times(&self, x: &[f32]) -> Vec<f32> {
        let rows = self.weight.chunks_exact(self.width());
        rows.zip(&self.bias).map(|(row, bias)| dot(row, x) + bias).collect()
    }

    /// `y (T, N)`, of each window of K numbers that lies in `x`, one every `step`.
    pub fn windows(&self, x: &[f32], step: usize) -> Vec<f32> {
        x.windows(self.width()).step_by(step).flat_map(|window| self.times(window)).collect()
    }
}

/// The tensors of the network, in the order of `TENSORS`.
fn tensors(gguf: &Gguf) -> Result<Vec<&TensorInfo>> {
    match gguf.architecture()? {
        ARCHITECTURE => {}
        other => bail!(UnsupportedArchitecture, "the file has a model of '{other}', '{ARCHITECTURE}' is needed"),
    }
    match gguf.metadata.u32(&format!("{ARCHITECTURE}.sample_rate"))? {
        Some(SAMPLE_RATE) => {}
        other => bail!(
            UnsupportedArchitecture,
            "'{ARCHITECTURE}.sample_rate' is {}, {SAMPLE_RATE} is supported",
            other.map_or("missing".into(), |rate| rate.to_string())
        ),
    }
    let tensor = |name: &str, shape: &[u32]| {
        let t = gguf.require(name)?;
        if !t.shape.iter().copied().eq(shape.iter().map(|&n| u64::from(n))) {
            bail!(MalformedGguf, "tensor '{name}' has shape {:?}, {shape:?} is needed", t.shape);
        }
        if t.ty != GgmlType::F32 {
            bail!(UnsupportedTensorType, "tensor '{name}' has type {}, F32 is needed", t.ty);
        }
        Ok(t)
    };
    TENSORS.iter().map(|(_, name, _, shape)| tensor(name, shape)).collect()
}

/// A tensor's numbers.
async fn read(source: &impl ByteSource, t: &TensorInfo) -> Result<Vec<f32>> {
    let mut bytes = Vec::new();
    let mut sink = |chunk: Chunk<'_>| {
        chunk.append_to(&mut bytes);
        Ok(())
    };
    source.stream(t.file_range.clone(), &mut sink).await?;
    let wanted = t.file_range.end - t.file_range.start;
    if bytes.len() as u64 != wanted {
        bail!(
            MalformedGguf,
            "tensor '{}' has {} bytes in the file, {wanted} are needed (truncated?)",
            t.name,
            bytes.len()
        );
    }
    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

impl Network {
    pub(super) async fn load(source: &impl ByteSource, events: &dyn LoadEvents) -> Result<Network> {
        let (gguf, source) = read_header(source, events).await?;
        let tensors = tensors(&gguf)?;
        let total = tensors.iter().map(|t| t.file_range.end - t.file_range.start).sum();
        let tally = Tally::new(events, total);
        let mut values = vec![Vec::new(); tensors.len()];
        for i in order(tensors.len(), &|i, j| tensors[i].file_range.start < tensors[j].file_range.start) {
            values[i] = read(&source, tensors[i]).await?;
            tally.add_weights(4 * values[i].len() as u64, || None)?;
        }
        events.progress(LoadProgress::ready(total));

        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or_default();
        let stft = next();
        let no_bias = vec![0.0; TENSORS[0].3[0] as usize];
        let mut layer = || Layer { weight: next(), bias: next() };
        Ok(Network {
            stft: Layer { weight: stft, bias: no_bias },
            encoder: std::array::from_fn(|_| layer()),
            lstm_input: layer(),
            lstm_hidden: layer(),
            output: layer(),
        })
    }
}
