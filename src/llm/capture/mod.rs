//! Captures: every named intermediate of a prefill and of decode steps, under llama.cpp's node names.

mod delta_net;
mod names;
mod taps;

use futures_util::future::try_join_all;

use self::taps::{Tap, Taps};
use super::model::Model;
use super::sequence::{Sequence, decode_phase};
use crate::error::{Result, bail};
use crate::ops::{Phase, Recorder};

/// A named intermediate.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// llama.cpp's node name: `attn_norm-0`, `result_output`.
    pub name: String,
    /// `(rows, width)`: rows are tokens; of `kq` and `kq_soft_max` heads and tokens, width positions.
    pub rows: usize,
    pub width: usize,
    pub data: Vec<f32>,
}

impl Sequence {
    /// Run `tokens` from position `pos` on as one batch, or a single one as a decode step, and return the
    /// intermediates in order.
    ///
    /// # Errors
    /// `ContextOverflow` if they do not fit; `OutOfGpuMemory` if the copies do not.
    pub async fn capture(&self, model: &Model, tokens: &[u32], pos: u32, decode: bool) -> Result<Vec<Activation>> {
        let (gpu, network, c, n_batch) = (&model.gpu, &model.network, &model.config, model.need.sizes.n_batch);
        model.check_room(pos, tokens.len())?;
        if tokens.len() > n_batch as usize {
            bail!(InvalidArgument, "{} tokens are captured as one batch, up to {n_batch} are allowed", tokens.len());
        }
        let phase = if decode { decode_phase(gpu, pos) } else { Phase::Prefill };
        let (batch, n_tokens) = (&self.memory.batch, tokens.len() as u32);
        let mut taps = Taps::new(c, n_tokens, pos + n_tokens);
        let mut body = Recorder::observed_by(gpu, batch, phase, &mut taps);
        network.body(&mut body, &self.memory.states)?;
        let body = body.plan;
        // The head sees one row.
        taps.n_rows = 1;
        let mut head = Recorder::observed_by(gpu, batch, Phase::Decode { far: false }, &mut taps);
        head.last_row(&network.x)?;
        network.head(&mut head)?;
        let head = head.plan;
        batch.set(gpu, pos, tokens);
        gpu.submit([&body, &head], n_tokens, None);
        self.hold(pos + n_tokens);
        // One wait for all: a browser may take milliseconds to say that a buffer is here.
        let activations = try_join_all(taps.list.iter().map(|tap| read(model, tap))).await?;
        Ok(names::llama_cpp(c, activations))
    }
}

async fn read(model: &Model, tap: &Tap) -> Result<Activation> {
    let raw: Vec<f32> = model.gpu.read(&tap.copy, (tap.rows * tap.stride) as usize).await?;
    let data = raw
        .chunks_exact(tap.stride as usize)
        .flat_map(|row| row.iter().skip(tap.offset as usize).step_by(tap.step as usize).take(tap.width as usize))
        .copied()
        .collect();
    Ok(Activation { name: tap.name.clone(), rows: tap.rows as usize, width: tap.width as usize, data })
}
