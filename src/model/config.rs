//! What an architecture is, as data: read from metadata by the files under `arch/`.

use std::ops::RangeInclusive;

use crate::error::{Error, Result, bail};
use crate::gguf::Gguf;
use crate::ops::{Act, KvType, RopeKind};

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
    pub norm: Norm,
    /// Whether the blocks' inputs are normed; otherwise only their outputs are.
    pub pre_norm: bool,
    /// Whether a learned table of positions is added to the embedding.
    pub learned_positions: bool,
    /// The rotary embeddings that layers choose from.
    pub ropes: Vec<RopeConfig>,
    /// What differs from layer to layer, one each.
    pub layers: Vec<LayerConfig>,
    pub qk_norm: QkNorm,
    pub ffn: Ffn,
    /// What the embedding is multiplied by.
    pub embedding_scale: f32,
    /// What scores are multiplied by.
    pub attention_scale: f32,
    /// `cap * tanh(score / cap)` of scaled scores (arXiv:2408.00118).
    pub attention_softcap: Option<f32>,
    /// What a block's output is multiplied by before it is added.
    pub residual_scale: f32,
    /// What logits are multiplied by.
    pub logit_scale: f32,
    /// `cap * tanh(logit / cap)`
    pub logit_softcap: Option<f32>,
}

impl ModelConfig {
    #[must_use]
    pub fn n_layer(&self) -> u32 {
        self.layers.len() as u32
    }

    /// Heads of q, k and v together, times the elements of one.
    #[must_use]
    pub fn n_qkv(&self) -> u32 {
        (self.n_head + 2 * self.n_head_kv) * self.head_dim
    }

    /// Bytes of KV cache that one more position of context takes: those of layers without a sliding window.
    #[must_use]
    pub fn kv_bytes_per_position(&self, ty: KvType) -> u64 {
        let layers = self.layers.iter().filter(|l| l.window.is_none()).count() as u64;
        2 * layers * ty.bytes(u64::from(self.n_head_kv * self.head_dim))
    }

    /// Rows of the feed-forward block's inside that a token takes.
    #[must_use]
    pub fn ffn_rows(&self) -> u32 {
        if let Ffn::Experts { n_used, .. } = self.ffn { n_used } else { 1 }
    }

    /// Positions that the cache of a layer keeps, for a context of `n_ctx` and batches of `n_batch`.
    #[must_use]
    pub fn kv_capacity(&self, layer: &LayerConfig, n_ctx: u32, n_batch: u32) -> u32 {
        // A batch is put into the ring before it is attended to, so the ring holds a window and a batch.
        n_ctx.min(layer.window.unwrap_or(n_ctx).saturating_add(n_batch))
    }
}

/// What differs from layer to layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerConfig {
    /// Positions attended to, the token's own included; `None` for all.
    pub window: Option<u32>,
    /// Which of the model's rotary embeddings, if any.
    pub rope: Option<usize>,
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
    Experts { n_expert: u32, n_used: u32 },
}

/// Reads `<arch>.<key>` and checks it.
pub struct Hyper<'a> {
    pub gguf: &'a Gguf,
    pub arch: &'a str,
}

/// No known model is larger in any of these; the products below stay within u64 by far.
const MAX_DIM: u32 = 1 << 20;
/// No known model multiplies or divides by anything near these; their inverses are finite.
const SCALES: RangeInclusive<f32> = 1e-9..=1e9;

impl<'a> Hyper<'a> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.arch)
    }

    fn missing<T>(&self, key: &str) -> Result<T> {
        bail!(MalformedGguf, "metadata '{}' is missing", self.key(key))
    }

    /// A size: 1 to 2^20.
    ///
    /// # Errors
    /// `MalformedGguf` where it is out of range or no integer.
    pub fn dim_opt(&self, key: &str) -> Result<Option<u32>> {
        match self.gguf.metadata.u32(&self.key(key))? {
            Some(v) if v == 0 || v > MAX_DIM => {
                bail!(MalformedGguf, "metadata '{}' is {v}, 1 to {MAX_DIM} is allowed", self.key(key))
            }
            v => Ok(v),
        }
    }

    /// As [`Hyper::dim_opt`], and there.
    ///
    /// # Errors
    /// `MalformedGguf` where it is missing or wrong.
    pub fn dim(&self, key: &str) -> Result<u32> {
        self.dim_opt(key)?.map_or_else(|| self.missing(key), Ok)
    }

    /// # Errors
    /// `MalformedGguf` where it is no number.
    pub fn f32_opt(&self, key: &str) -> Result<Option<f32>> {
        self.gguf.metadata.f32(&self.key(key))
    }

    /// # Errors
    /// `MalformedGguf` where it is missing or no number.
    pub fn f32(&self, key: &str) -> Result<f32> {
        self.f32_opt(key)?.map_or_else(|| self.missing(key), Ok)
    }

    /// An epsilon: small and not negative.
    ///
    /// # Errors
    /// `MalformedGguf` where it is missing or out of range.
    pub fn epsilon(&self, key: &str) -> Result<f32> {
        let v = self.f32(key)?;
        if !(0.0..1.0).contains(&v) {
            bail!(MalformedGguf, "metadata '{}' is {v}, 0 to 1 is allowed", self.key(key));
        }
        Ok(v)
    }

    /// A number of a size that can be multiplied with and divided by; 0 stands for none.
    ///
    /// # Errors
    /// `MalformedGguf` where it is no number or out of range.
    pub fn scale_opt(&self, key: &str) -> Result<Option<f32>> {
        let value = self.f32_opt(key)?.filter(|&v| v != 0.0);
        if let Some(v) = value.filter(|v| !SCALES.contains(v)) {
            let (low, high) = (SCALES.start(), SCALES.end());
            bail!(MalformedGguf, "metadata '{}' is {v:e}, {low:e} to {high:e} is allowed", self.key(key));
        }
        Ok(value)
    }

    /// A multiplier: the key's value, or 1 where it is missing or 0.
    ///
    /// # Errors
    /// As [`Hyper::scale_opt`].
    pub fn scale(&self, key: &str) -> Result<f32> {
        Ok(self.scale_opt(key)?.unwrap_or(1.0))
    }

    /// A soft cap: `default` where the key is missing, none where it is 0.
    ///
    /// # Errors
    /// As [`Hyper::scale_opt`].
    pub fn softcap(&self, key: &str, default: Option<f32>) -> Result<Option<f32>> {
        if self.has_key(key) { self.scale_opt(key) } else { Ok(default) }
    }

    /// The configuration that most decoders share: RMSNorm before each block, rotary embedding of kind `rope`, a
    /// gated feed-forward block with SiLU. Architectures change what they do otherwise.
    ///
    /// # Errors
    /// `MalformedGguf` where a key is missing or wrong.
    pub fn decoder(&self, rope: RopeKind) -> Result<ModelConfig> {
        let (n_embd, n_layer) = (self.dim("embedding_length")?, self.dim("block_count")?);
        let (n_head, n_head_kv, head_dim) = self.heads(n_embd)?;
        let norm = match self.f32_opt("attention.layer_norm_epsilon")? {
            Some(_) if !self.has_key("attention.layer_norm_rms_epsilon") => {
                Norm::Layer { eps: self.epsilon("attention.layer_norm_epsilon")? }
            }
            _ => Norm::Rms { eps: self.epsilon("attention.layer_norm_rms_epsilon")? },
        };
        let n_layer_limit = 1024;
        if n_layer > n_layer_limit {
            bail!(
                MalformedGguf,
                "metadata '{}' is {n_layer}, up to {n_layer_limit} is allowed",
                self.key("block_count")
            );
        }
        Ok(ModelConfig {
            arch: self.arch.to_owned(),
            n_embd,
            n_head,
            n_head_kv,
            head_dim,
            n_ff: self.dim("feed_forward_length")?,
            n_vocab: self.n_vocab()?,
            n_ctx_train: self.dim("context_length")?,
            norm,
            pre_norm: true,
            learned_positions: false,
            ropes: vec![self.rope(rope, head_dim)?],
            layers: vec![LayerConfig { window: None, rope: Some(0) }; n_layer as usize],
            qk_norm: QkNorm::None,
            ffn: Ffn::Gated(Act::Silu),
            embedding_scale: 1.0,
            attention_scale: f64::from(head_dim).powf(-0.5) as f32,
            attention_softcap: None,
            residual_scale: 1.0,
            logit_scale: 1.0,
            logit_softcap: None,
        })
    }

    fn has_key(&self, key: &str) -> bool {
        self.gguf.metadata.get(&self.key(key)).is_some()
    }

    /// `attention.sliding_window`, where it is one.
    ///
    /// # Errors
    /// `MalformedGguf` where it is no integer.
    pub fn sliding_window(&self) -> Result<Option<u32>> {
        Ok(self.gguf.metadata.u32(&self.key("attention.sliding_window"))?.filter(|&n| n > 0))
    }

    /// The vocabulary's size: the embedding's rows, which the tokenizer must match.
    ///
    /// # Errors
    /// `MalformedGguf` where the embedding is missing or not a matrix.
    pub fn n_vocab(&self) -> Result<u32> {
        let t = self.gguf.require("token_embd.weight")?;
        u32::try_from(t.rows()).ok().filter(|_| t.shape.len() == 2).ok_or_else(|| {
            Error::MalformedGguf(format!("tensor 'token_embd.weight' has shape {:?}, a matrix is needed", t.shape))
        })
    }

    /// Heads of queries and of keys and values, and the elements of one.
    ///
    /// # Errors
    /// `MalformedGguf` where they don't divide; `UnsupportedArchitecture` where keys and values differ in
    /// size.
    pub fn heads(&self, n_embd: u32) -> Result<(u32, u32, u32)> {
        let n_head = self.dim("attention.head_count")?;
        let n_head_kv = self.dim_opt("attention.head_count_kv")?.unwrap_or(n_head);
        if !n_head.is_multiple_of(n_head_kv) {
            bail!(MalformedGguf, "{n_head} heads do not share {n_head_kv} key-value heads evenly");
        }
        let head_dim = match self.dim_opt("attention.key_length")? {
            Some(d) => d,
            None if n_embd.is_multiple_of(n_head) => n_embd / n_head,
            None => bail!(MalformedGguf, "an embedding of {n_embd} does not divide into {n_head} heads"),
        };
        if u64::from(n_head) * u64::from(head_dim) > MAX_DIM.into() {
            bail!(MalformedGguf, "{n_head} heads of {head_dim} elements are more than {MAX_DIM} elements");
        }
        let value_dim = self.dim_opt("attention.value_length")?.unwrap_or(head_dim);
        if value_dim != head_dim {
            bail!(UnsupportedArchitecture, "heads have keys of {head_dim} and values of {value_dim} elements");
        }
        Ok((n_head, n_head_kv, head_dim))
    }

    /// Rotary embedding with its scaling keys.
    ///
    /// # Errors
    /// `UnsupportedArchitecture` for an unknown scaling; `MalformedGguf` where numbers are out of range.
    pub fn rope(&self, kind: RopeKind, head_dim: u32) -> Result<RopeConfig> {
        let n_rot = self.dim_opt("rope.dimension_count")?.unwrap_or(head_dim);
        let multiple = if kind == RopeKind::Interleaved { 4 } else { 8 };
        if n_rot > head_dim || !n_rot.is_multiple_of(multiple) {
            bail!(
                UnsupportedArchitecture,
                "{n_rot} of a head's {head_dim} elements rotate; multiples of {multiple} up to {head_dim} are supported"
            );
        }
        let freq_base = self.f32_opt("rope.freq_base")?.unwrap_or(10_000.0);
        if freq_base <= 0.0 {
            bail!(MalformedGguf, "metadata '{}' is {freq_base}, more than 0 is needed", self.key("rope.freq_base"));
        }
        // The key of older files is the second.
        let key = ["rope.scaling.factor", "rope.scale_linear"].into_iter().find(|key| self.has_key(key));
        let factor = key.map_or(Ok(1.0), |key| self.scale(key))?;
        let scaling = match self.gguf.metadata.str(&self.key("rope.scaling.type"))? {
            Some("none") => RopeScaling::None,
            None | Some("linear") if factor == 1.0 => RopeScaling::None,
            None | Some("linear") => RopeScaling::Linear { factor },
            Some("yarn") if factor == 1.0 => RopeScaling::None,
            // Long and short factors are in tensors of the file.
            Some("longrope") => RopeScaling::None,
            Some("yarn") => RopeScaling::Yarn {
                factor,
                n_ctx_orig: match self.dim_opt("rope.scaling.original_context_length")? {
                    Some(n) => n,
                    None => self.dim("context_length")?,
                },
                beta_fast: self.scale_opt("rope.scaling.yarn_beta_fast")?.unwrap_or(32.0),
                beta_slow: self.scale_opt("rope.scaling.yarn_beta_slow")?.unwrap_or(1.0),
            },
            Some(other) => {
                bail!(UnsupportedArchitecture, "rope scaling '{other}'; none, linear, yarn and longrope are supported")
            }
        };
        let magnitude = self.scale("rope.scaling.attn_factor")?;
        Ok(RopeConfig { kind, n_rot, freq_base, scaling, magnitude })
    }
}
