//! The blocks that layers are made of. A block's file owns its weights' names and loading, what it records, and what
//! it keeps of a sequence.

mod attention;
mod delta_net;
mod experts;
mod ffn;
mod output;
#[cfg(feature = "test-block")]
mod running_sum;
mod shared_expert;
mod short_conv;
mod state;

use std::rc::Rc;

pub use state::{N_CHECKPOINTS, Running, State};

use self::attention::SelfAttention;
use self::delta_net::GatedDeltaNet;
use self::experts::Experts;
use self::ffn::FeedForward;
use self::output::BlockOutput;
use self::short_conv::ShortConvolution;
use super::config::{Ffn, Mixer, Norm};
use super::weights::{Builder, NormWeights};
use crate::error::Result;
use crate::gpu::Allocate;
use crate::ops::{Act, Input, Recorder, Tensor};

/// A part of a layer: it reads the residual stream `x (T, C)` and adds to it.
pub trait Block {
    /// What it keeps of a sequence.
    ///
    /// # Errors
    /// As [`Allocate::buffer`].
    fn state(&self, from: &dyn Allocate) -> Result<State>;

    /// Record `x += block(x)`.
    ///
    /// # Errors
    /// As the ops that it is made of.
    fn record(&self, r: &mut Recorder<'_>, x: &Tensor, state: &State) -> Result<()>;
}

/// The blocks of layer `l`.
///
/// # Errors
/// `MalformedGguf` or `UnsupportedTensorType` naming a tensor.
pub fn layer(b: &mut Builder<'_>, l: u32) -> Result<Vec<Rc<dyn Block>>> {
    let mixer: Rc<dyn Block> = match b.c.layers[l as usize].mixer {
        Mixer::Attention => Rc::new(SelfAttention::new(b, l)?),
        Mixer::ShortConv { kernel } => Rc::new(ShortConvolution::new(b, l, kernel)?),
        Mixer::DeltaNet(shape) => Rc::new(GatedDeltaNet::new(b, l, shape)?),
    };
    let ffn: Rc<dyn Block> = match b.c.ffn {
        Ffn::Experts { .. } if l < b.c.dense_lead.n_layer => {
            Rc::new(FeedForward::new(b, l, Ffn::Gated(Act::Silu), b.c.dense_lead.n_ff)?)
        }
        Ffn::Experts { n_expert, n_used, gate } => Rc::new(Experts::new(b, l, n_expert, n_used, gate)?),
        ffn => Rc::new(FeedForward::new(b, l, ffn, b.c.n_ff)?),
    };
    #[cfg(feature = "test-block")]
    if b.sizes.running_sum {
        return Ok(vec![mixer, Rc::new(running_sum::RunningSum::new(b)), ffn]);
    }
    Ok(vec![mixer, ffn])
}

/// The norm of a block's input, or of the output matrix's: `(weight, eps)` and, for LayerNorm, a bias.
pub struct InputNorm {
    /// The name of the normed input, as in llama.cpp.
    name: &'static str,
    weights: Option<NormWeights>,
    eps: f32,
    /// The normed input of a batch, `(T, C)`.
    h: Tensor,
}

impl InputNorm {
    /// The norm of block `blk` with this name in llama.cpp's graphs, if the model norms inputs.
    ///
    /// # Errors
    /// `MalformedGguf` if its tensors are missing.
    pub fn of_block(b: &mut Builder<'_>, blk: &str, name: &'static str) -> Result<Self> {
        let tensor = if name == "ffn_norm" { b.c.ffn_norm } else { name };
        let weights = if b.c.pre_norm { Some(b.norm(&format!("{blk}.{tensor}"))?) } else { None };
        Self::with(b, name, weights)
    }

    /// The norm before the output matrix.
    ///
    /// # Errors
    /// `MalformedGguf` if its tensors are missing.
    pub fn of_output(b: &mut Builder<'_>) -> Result<Self> {
        let weights = b.norm(b.c.output_norm)?;
        Self::with(b, "result_norm", Some(weights))
    }

    fn with(b: &mut Builder<'_>, name: &'static str, weights: Option<NormWeights>) -> Result<Self> {
        let (Norm::Rms { eps } | Norm::Layer { eps }) = b.c.norm;
        Ok(InputNorm { name, weights, eps, h: b.scratch("normed", 1, b.c.n_embd)? })
    }

    /// `h = norm(x)`, as matmuls of this phase read it.
    ///
    /// # Errors
    /// As [`Recorder::normed`].
    pub fn record<'a>(&'a self, r: &mut Recorder<'_>, x: &'a Tensor) -> Result<Input<'a>> {
        let input = match &self.weights {
            None => Input::Plain(x),
            Some(NormWeights { weight, bias: None }) => Input::RmsNorm { x, weight, eps: self.eps },
            Some(NormWeights { weight, bias: Some(bias) }) => Input::LayerNorm { x, weight, bias, eps: self.eps },
        };
        r.normed(self.name, input, &self.h)
    }
}
