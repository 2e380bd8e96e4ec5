//! Captures: every named intermediate of a prefill and of decode steps, under llama.cpp's node names.

use super::Model;
use crate::error::Result;
use crate::gpu::State;
use crate::ops::{Phase, Recorder, Tap};

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

impl Model {
    /// Run `tokens` from position `pos` on as one batch, and return its intermediates in order. With
    /// [`Phase::Decode`] there is one token.
    ///
    /// # Errors
    /// `ContextOverflow` where they do not fit; `OutOfGpuMemory` where the copies do not.
    pub async fn capture(&self, tokens: &[u32], pos: u32, phase: Phase) -> Result<Vec<Activation>> {
        self.check_room(pos, tokens.len())?;
        let n_tokens = tokens.len() as u32;
        let n_pos = pos + n_tokens;
        let forward = self.forward();
        let mut body = Recorder::capturing(&self.gpu, &self.run.step, phase, n_tokens, n_pos);
        forward.embed(&mut body)?;
        for l in 0..self.config.n_layer {
            forward.layer(&mut body, l)?;
        }
        let mut head = Recorder::capturing(&self.gpu, &self.run.step, Phase::Decode, 1, n_pos);
        head.last_row(&self.run.x)?;
        forward.head(&mut head)?;
        self.gpu.write(&self.run.step.tokens, 0, tokens);
        self.gpu.write(&self.run.step.state, 0, &[State { pos, n_tokens, ..State::default() }]);
        self.gpu.submit(&[&body.plan, &head.plan], n_tokens, None);
        let mut activations = Vec::new();
        for tap in body.taps.iter().chain(&head.taps) {
            activations.push(self.read_tap(tap).await?);
        }
        Ok(activations)
    }

    async fn read_tap(&self, tap: &Tap) -> Result<Activation> {
        let raw: Vec<f32> = self.gpu.read(&tap.copy, (tap.rows * tap.stride) as usize).await?;
        let data = raw
            .chunks_exact(tap.stride as usize)
            .flat_map(|row| row.iter().skip(tap.offset as usize).step_by(tap.step as usize).take(tap.width as usize))
            .copied()
            .collect();
        Ok(Activation { name: tap.name.clone(), rows: tap.rows as usize, width: tap.width as usize, data })
    }
}
