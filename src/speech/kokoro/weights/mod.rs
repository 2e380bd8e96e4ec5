//! Kokoro's weights: their names and shapes in a GGUF file, and where they lie on the GPU.

mod reader;

use std::cell::RefCell;
use std::rc::Rc;

use reader::{Reader, Tensors};

use crate::error::{Result, bail};
use crate::formats::gguf::{Gguf, TensorInfo};
use crate::gpu::Ledger;
use crate::load::Load;
use crate::ops::{Matrix, Recurrent, Vector};
use crate::order::sort;

/// `general.architecture` of a file.
pub const ARCHITECTURE: &str = "kokoro";
/// Elements of a style: half for the decoder, half for durations and prosody.
pub const STYLE: u32 = 128;
/// Symbols.
pub const N_TOKENS: u32 = 178;
/// Tokens of a text, the two zeros around it among them.
pub const MAX_TOKENS: u32 = 512;

/// `y = w x + bias`, of one tap or several.
pub struct Linear {
    pub w: Rc<Matrix>,
    pub bias: Vector,
}

/// An LSTM in both directions.
pub struct Lstm {
    /// What the input gives to the gates.
    pub input: Linear,
    pub recurrent: Recurrent,
}

pub struct Norm {
    pub weight: Vector,
    pub bias: Vector,
}

/// Norms' scales and shifts: one matrix for all norms of half a style.
pub struct Styles {
    pub w: Rc<Matrix>,
    pub bias: Vector,
}

/// Where a norm's scales and shifts start among them.
#[derive(Debug, Clone, Copy)]
pub struct StyleAt(pub u32);

/// A residual block with two norms.
pub struct Block {
    pub norm1: StyleAt,
    pub norm2: StyleAt,
    pub conv1: Linear,
    pub conv2: Linear,
    /// Where the input has another width.
    pub shortcut: Option<Rc<Matrix>>,
    /// Where the output is twice as long: taps `(3, C)` and bias.
    pub pool: Option<(Rc<Matrix>, Vector)>,
    pub width: u32,
}

/// A norm, a snake and a convolution.
pub struct SnakeConv {
    pub norm: StyleAt,
    pub alpha: Vector,
    pub conv: Linear,
}

/// A residual block of the generator: three pairs of convolutions.
pub struct SnakeBlock {
    pub kernel: u32,
    pub pairs: Vec<[SnakeConv; 2]>,
}

/// The network ALBERT (arXiv:1909.11942), all of whose layers are one.
pub struct Bert {
    pub token_embd: Rc<Matrix>,
    pub position_embd: Rc<Matrix>,
    pub type_embd: Vector,
    pub embd_norm: Norm,
    pub embd_project: Linear,
    pub attn_qkv: Linear,
    pub attn_output: Linear,
    pub attn_norm: Norm,
    pub ffn_up: Linear,
    pub ffn_down: Linear,
    pub ffn_norm: Norm,
    pub output: Linear,
}

pub struct TextEncoder {
    pub embd: Rc<Matrix>,
    pub convs: Vec<(Linear, Norm)>,
    pub lstm: Lstm,
}

pub struct Duration {
    pub layers: Vec<(Lstm, StyleAt)>,
    pub lstm: Lstm,
    pub project: Linear,
}

pub struct Prosody {
    pub lstm: Lstm,
    pub f0: Vec<Block>,
    pub noise: Vec<Block>,
    pub curves: Linear,
}

pub struct Decoder {
    /// `(2, 3)` and `(2)`
    pub curves_conv: (Vector, Vector),
    pub text_conv: Linear,
    pub encode: Block,
    pub decode: Vec<Block>,
}

/// A stage of the generator, which makes its input longer.
pub struct Stage {
    pub noise_conv: Linear,
    pub noise_block: SnakeBlock,
    pub up: Linear,
    pub blocks: Vec<SnakeBlock>,
}

pub struct Generator {
    pub source: (Vector, Vector),
    pub window: Vector,
    pub stages: Vec<Stage>,
    pub post: Linear,
    pub basis: Rc<Matrix>,
    pub window_sum: Vector,
}

/// All of them.
pub struct Weights {
    pub bert: Bert,
    pub text_encoder: TextEncoder,
    pub duration: Duration,
    pub prosody: Prosody,
    /// Of durations and prosody.
    pub prosody_styles: Styles,
    pub decoder: Decoder,
    pub generator: Generator,
    /// Of decoder and generator.
    pub decoder_styles: Styles,
}

/// Strides of the generator's stages, and the places that are cut before the first.
pub const STAGES: [(u32, u32, u32); 2] = [(10, 5, 256), (6, 3, 128)];

/// Channels that the decoder's first block takes: the text's, pitch, loudness.
pub const ENCODED: u32 = 512 + 2;
/// Channels that its other blocks take: those of the block before, the text's, pitch, loudness.
pub const DECODED: u32 = 1024 + 64 + 2;

impl Weights {
    /// The weights of a file, whose buffers go to `memory`, and the loads that fill them.
    ///
    /// # Errors
    /// `UnsupportedArchitecture` where the file is of another architecture; `MalformedGguf` where a tensor is missing or has another shape;
    /// `UnsupportedTensorType` where it has another type.
    pub fn of(gguf: &Gguf, memory: &Ledger) -> Result<(Weights, Vec<Load>)> {
        let architecture = gguf.architecture()?;
        if architecture != ARCHITECTURE {
            bail!(UnsupportedArchitecture, "the file's architecture is '{architecture}', '{ARCHITECTURE}' is needed");
        }
        let r = Reader::new(Tensors::Of(gguf), memory);
        let weights = r.weights()?;
        let mut loads = r.loads.into_inner();
        sort(&mut loads, |a, b| a.tensor.file_range.start < b.tensor.file_range.start);
        if let Some(t) = gguf.tensors.iter().find(|t| !loads.iter().any(|load| load.tensor.name == t.name)) {
            bail!(UnsupportedArchitecture, "tensor '{}' is not part of the network as it is supported", t.name);
        }
        Ok((weights, loads))
    }

    /// The tensors that a file has, which lie nowhere yet: what a benchmark makes a file of.
    ///
    /// # Errors
    /// As [`Ledger`]'s buffers.
    pub fn tensors() -> Result<Vec<TensorInfo>> {
        let memory = Ledger::new(u64::MAX);
        let r = Reader::new(Tensors::Listed(RefCell::default()), &memory);
        r.weights()?;
        match r.tensors {
            Tensors::Listed(list) => Ok(list.into_inner()),
            Tensors::Of(_) => bail!(Internal, "tensors are listed"),
        }
    }
}
