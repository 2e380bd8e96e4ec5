//! What an architecture is, as data: read from metadata by the files under `arch/`.

use crate::ops::{Act, DeltaShape, RopeKind, Temperature};

/// Everything the forward pass needs to know of a model beside its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// `general.architecture`
    pub arch: String,
    /// Width of the residual stream, C.
    pub n_embd: u32,
    /// Query heads, H.
    pub n_head: u32,
    /// Key-value heads; divides `n_head`.
    pub n_head_kv: u32,
    /// Elements of a head, D.
    pub head_dim: u32,
    /// Width of the feed-forward block, F.
    pub n_ff: u32,
    pub n_vocab: u32,
    /// Positions the model was trained on.
    pub n_ctx_train: u32,
    /// Those before its rotary embedding was stretched.
    pub n_ctx_orig: u32,
    pub norm: Norm,
    /// The tensor of the norm before the output matrix, without `.weight`.
    pub output_norm: &'static str,
    /// Whether the blocks' inputs are normed; otherwise only their outputs are.
    pub pre_norm: bool,
    /// The tensor of the norm before the feed-forward block, without `blk.N.` and `.weight`.
    pub ffn_norm: &'static str,
    /// Whether a learned table of positions is added to the embedding.
    pub learned_positions: bool,
    /// The rotary embeddings that layers choose from.
    pub ropes: Vec<RopeConfig>,
    /// What differs from layer to layer, one each.
    pub layers: Vec<LayerConfig>,
    /// Layers of the file after these, which predict further tokens. They are not run.
    pub n_nextn: u32,
    pub qk_norm: QkNorm,
    /// Whether attention has gates: each query has its own after it.
    pub gated_attention: bool,
    pub ffn: Ffn,
    /// Width of the expert that all tokens go through beside their own; 0 where there is none.
    pub n_ff_shared: u32,
    /// The layers before a mixture of experts.
    pub dense_lead: DenseLead,
    /// What the embedding is multiplied by.
    pub embedding_scale: f32,
    /// What scores are multiplied by.
    pub attention_scale: f32,
    /// What queries are, by their position.
    pub temperature: Option<Temperature>,
    /// `cap * tanh(score / cap)` of scaled scores (arXiv:2408.00118).
    pub attention_softcap: Option<f32>,
    /// What a block's output is multiplied by before it is added.
    pub residual_scale: f32,
    /// What logits are multiplied by.
    pub logit_scale: f32,
    /// `cap * tanh(logit / cap)`
    pub logit_softcap: Option<f32>,
    /// What is doubtful about the file's metadata, for its user to see.
    pub warnings: Vec<String>,
}

impl ModelConfig {
    #[must_use]
    pub fn n_layer(&self) -> u32 {
        self.layers.len() as u32
    }

    /// Heads of q, k and v together, and gates, times the elements of one.
    #[must_use]
    pub fn n_qkv(&self) -> u32 {
        (self.n_head + 2 * self.n_head_kv + if self.gated_attention { self.n_head } else { 0 }) * self.head_dim
    }

    /// Whether a tensor belongs to a layer that is not run.
    #[must_use]
    pub fn is_of_nextn(&self, tensor: &str) -> bool {
        let layer = tensor.strip_prefix("blk.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        layer.is_some_and(|l| (self.n_layer()..self.n_layer() + self.n_nextn).contains(&l))
    }
}

/// What differs from layer to layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerConfig {
    /// Positions attended to, the token's own included; `None` for all.
    pub window: Option<u32>,
    /// Which of the model's rotary embeddings, if any.
    pub rope: Option<usize>,
    pub mixer: Mixer,
}

/// What mixes a layer's positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixer {
    Attention,
    /// A gated convolution over the last `kernel` positions, the token's own included.
    ShortConv {
        kernel: u32,
    },
    DeltaNet(DeltaShape),
}

/// The norm before each block and before the output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Norm {
    Rms { eps: f32 },
    Layer { eps: f32 },
}

impl Norm {
    #[must_use]
    pub fn eps(self) -> f32 {
        match self {
            Norm::Rms { eps } | Norm::Layer { eps } => eps,
        }
    }
}

/// The norm of queries and keys, where the file has its weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkNorm {
    None,
    /// Each head by itself.
    Head,
    /// The same after the rotary embedding, of half splits.
    RotatedHead,
    /// All heads of a token together.
    Row,
}

/// Rotary embedding (arXiv:2104.09864).
#[derive(Debug, Clone, PartialEq)]
pub struct RopeConfig {
    pub kind: RopeKind,
    /// Elements of a head that rotate.
    pub n_rot: u32,
    pub freq_base: f32,
    pub scaling: RopeScaling,
    /// What cosines and sines are multiplied by.
    pub magnitude: f32,
}

/// How rotary frequencies are stretched to longer contexts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RopeScaling {
    None,
    /// Positions are divided by the factor (arXiv:2306.15595).
    Linear {
        factor: f32,
    },
    /// By frequency (arXiv:2309.00071).
    Yarn {
        factor: f32,
        n_ctx_orig: u32,
        beta_fast: f32,
        beta_slow: f32,
    },
}

/// The feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ffn {
    /// `down(act(gate(h)) * up(h))`
    Gated(Act),
    /// `down(gelu(up(h)))`, with biases
    Gelu,
    /// The sum of `weight_e * down_e(silu(gate_e(h)) * up_e(h))` over the `n_used` experts e of `n_expert` that the
    /// router scores highest; `n_ff` is an expert's width (arXiv:1701.06538).
    Experts { n_expert: u32, n_used: u32, gate: Gate },
}

/// What a router makes of its logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The softmax of all.
    Softmax,
    /// The sigmoid of each; a bias is added for the choice.
    Sigmoid,
}

/// The first layers of a mixture of experts, which have one gated feed-forward block with SiLU each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DenseLead {
    pub n_layer: u32,
    /// Its width.
    pub n_ff: u32,
}
