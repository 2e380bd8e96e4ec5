//! The network of a decoder: an embedding, layers of blocks that add to the residual stream, and a head. It is walked
//! once a plan; running replays the plans.

use std::rc::Rc;

use super::blocks::{self, Block, InputNorm, State};
use super::config::ModelConfig;
use super::rope::{FactorTensor, factor_tensor};
use super::weights::{Builder, Sizes, check_types};
use crate::error::Result;
use crate::formats::gguf::Gguf;
use crate::gpu::{Allocate, Ledger, Usage};
use crate::load::Load;
use crate::ops::{Index, Input, Matrix, Output, Recorder, Rope, Tensor, Vector};

/// The network of a file: its buffers are listed, not allocated.
pub struct Network {
    /// `(V, C)`
    token_embd: Rc<Matrix>,
    embedding_scale: f32,
    /// `(n_ctx, C)`, if positions are learned.
    position_embd: Option<Rc<Matrix>>,
    layers: Vec<Vec<Rc<dyn Block>>>,
    output_norm: InputNorm,
    /// `(V, C)`; the embedding itself if the file has no `output.weight`.
    output: Rc<Matrix>,
    /// `(1, V)`
    output_bias: Option<Tensor>,
    logit_scale: f32,
    logit_softcap: Option<f32>,
    /// The residual stream, `(T, C)`.
    pub x: Tensor,
    /// `(V)`, of the last token.
    pub logits: Tensor,
    pub ropes: Vec<Rope>,
    pub rope_factors: Option<FactorTensor>,
    /// The buffers of the weights.
    pub weights: Ledger,
    /// The buffers of activations, which all sequences share: what they hold lasts for a step.
    pub scratch: Ledger,
    /// Bytes of the largest buffer that can't be cut into several, the sequences' aside.
    pub largest_buffer: u64,
}

impl Network {
    /// The network of a file, and the loads that fill its weights, in file order.
    ///
    /// # Errors
    /// `MalformedGguf` naming a tensor that is missing or of the wrong shape; `UnsupportedArchitecture` naming one that
    /// is unknown; `UnsupportedTensorType`.
    pub fn new(gguf: &Gguf, c: &ModelConfig, sizes: Sizes, max_binding_bytes: u64) -> Result<(Self, Vec<Load>)> {
        check_types(gguf)?;
        let scratch = Ledger::new(max_binding_bytes);
        let mut ropes = Vec::new();
        for rope in &c.ropes {
            let bytes = u64::from(sizes.n_ctx) * u64::from(rope.n_rot) * 4;
            ropes.push(Rope {
                kind: rope.kind,
                n_rot: rope.n_rot,
                table: scratch.buffer("rope", bytes, Usage::Storage)?,
            });
        }
        let mut b = Builder::new(gguf, c, sizes, &ropes, &scratch);
        let token_embd = b.stacked(&[("token_embd.weight".to_owned(), c.n_vocab)], c.n_embd)?;
        let position_embd = match c.learned_positions {
            true => Some(b.stacked(&[("position_embd.weight".to_owned(), c.n_ctx_train)], c.n_embd)?),
            false => None,
        };
        let mut layers = Vec::new();
        for l in 0..c.n_layer() {
            layers.push(blocks::layer(&mut b, l)?);
        }
        let output_norm = InputNorm::of_output(&mut b)?;
        let output = match gguf.tensor("output.weight") {
            Some(_) => b.stacked(&[("output.weight".to_owned(), c.n_vocab)], c.n_embd)?,
            None => token_embd.clone(),
        };
        // One that a scale or a soft cap would have to act on is in no known file.
        let plain_logits = c.logit_scale == 1.0 && c.logit_softcap.is_none();
        let output_bias = if plain_logits { b.vector_opt("output.bias", c.n_vocab)? } else { None };
        let x = b.scratch("x", 1, c.n_embd)?;
        let rope_factors = factor_tensor(&mut b)?;
        b.check_all_used()?;
        let logits = Tensor::new(&scratch, "logits", 1, c.n_vocab)?;
        let (weights, mut loads, largest_unit) = (b.memory, b.loads, b.largest_unit);
        loads.sort_by_key(|l| l.tensor.file_range.start);
        let network = Network {
            token_embd,
            embedding_scale: c.embedding_scale,
            position_embd,
            layers,
            output_norm,
            output,
            output_bias: output_bias.map(|Vector { buffer, len }| Tensor { buffer, width: len }),
            logit_scale: c.logit_scale,
            logit_softcap: c.logit_softcap,
            x,
            logits,
            largest_buffer: largest_unit.max(scratch.largest()),
            ropes,
            rope_factors,
            weights,
            scratch,
        };
        Ok((network, loads))
    }

    /// What the blocks keep of a sequence, in their order.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    pub fn states(&self, from: &dyn Allocate) -> Result<Vec<State>> {
        self.layers.iter().flatten().map(|block| block.state(from)).collect()
    }

    /// `x = token_embd[id]`, plus learned positions; then each block adds to it.
    ///
    /// # Errors
    /// As the ops.
    pub fn body(&self, r: &mut Recorder<'_>, states: &[State]) -> Result<()> {
        r.embed("token_embd", &self.token_embd, Index::Token, self.embedding_scale, &self.x)?;
        if let Some(table) = &self.position_embd {
            r.embed("position_embd", table, Index::Position, 1.0, &self.x)?;
        }
        let mut states = states.iter();
        for (layer, l) in self.layers.iter().zip(0..) {
            r.set_layer(Some(l));
            for (block, state) in layer.iter().zip(&mut states) {
                block.record(r, &self.x, state)?;
            }
        }
        r.set_layer(None);
        Ok(())
    }

    /// `logits = output . norm(x)`, of the first row.
    ///
    /// # Errors
    /// As the ops.
    pub fn head(&self, r: &mut Recorder<'_>) -> Result<()> {
        let y = &self.logits;
        let h = self.output_norm.record(r, &self.x)?;
        let output = Output::Logits { y, scale: self.logit_scale, softcap: self.logit_softcap };
        r.matmul("output", h, &self.output, output)?;
        match &self.output_bias {
            Some(bias) => r.add_input("output_bias", Input::Plain(bias), y, 1.0),
            None => Ok(()),
        }
    }
}
