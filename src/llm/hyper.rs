//! Reads the metadata of an architecture: the keys `<arch>.<key>`, with llama.cpp's defaults, and what is not read.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use super::config::{DenseLead, Ffn, LayerConfig, Mixer, ModelConfig, Norm, QkNorm, RopeConfig, RopeScaling};
use crate::error::{Error, Result, bail};
use crate::formats::gguf::{Gguf, Value, ValueType};
use crate::ops::{Act, RopeKind};

/// Reads `<arch>.<key>` and checks it.
pub struct Hyper<'a> {
    gguf: &'a Gguf,
    pub arch: &'a str,
    /// The keys that were asked for.
    asked: RefCell<Vec<&'static str>>,
    warnings: RefCell<Vec<String>>,
}

/// No known model is larger in any of these; the products below stay within u64 by far.
const MAX_DIM: u32 = 1 << 20;
const MAX_LAYERS: u32 = 1024;
const NEXTN: &str = "nextn_predict_layers";
/// No known model multiplies or divides by anything near these; their inverses are finite.
const SCALES: RangeInclusive<f32> = 1e-9..=1e9;
/// Keys that change no logits, whatever their value.
const HARMLESS: [&str; 13] = [
    "attention.group_norm_epsilon",
    "attention.layer_norm_epsilon",
    "attention.layer_norm_rms_epsilon",
    "classifier.output_labels",
    "classifier.pooling_type",
    "decoder_start_token_id",
    // For images: text has zeros there.
    "deepstack_mapping",
    "embedding_length_out",
    "pooling_type",
    "rope.scaling.finetuned",
    "tensor_data_layout",
    "token_shift_count",
    "vocab_size",
];
/// Keys that change no logits at these values; none does at 0. llama.cpp writes most of them into every file it saves.
const NEUTRAL: [(&str, &[f64]); 13] = [
    ("activation.situ_beta", &[1.0]),
    ("attention.indexer.kpool_select_tail", &[1.0]),
    ("attention.rope_pattern", &[1.0]),
    ("attn_logit_softcapping", &[50.0]),
    ("expert_group_scale", &[0.05_f32 as f64]),
    ("expert_weights_scale", &[1.0]),
    ("final_logit_softcapping", &[30.0]),
    ("kda.gate_lower_bound", &[f64::NEG_INFINITY]),
    ("rope.scaling.yarn_attn_factor", &[1.0]),
    ("rope.scaling.yarn_beta_fast", &[YARN.beta_fast as f64]),
    ("rope.scaling.yarn_beta_slow", &[YARN.beta_slow as f64]),
    // As the scaling has it by itself, or not set.
    ("rope.scaling.yarn_ext_factor", &[1.0, -1.0]),
    ("router_logit_softcapping", &[30.0]),
];
/// YaRN's parameters (arXiv:2309.00071).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yarn {
    /// Turns over the original context of the fastest and the slowest pair that is stretched in part.
    pub beta_fast: f32,
    pub beta_slow: f32,
    /// How much of the growth of cosines and sines is left out: they grow by `(1 + 0.1 ln f) / (1 + 0.1 log_mul ln f)`.
    pub log_mul: f32,
}
/// Those of most architectures, whatever the file says: llama.cpp does not read its either.
pub const YARN: Yarn = Yarn { beta_fast: 32.0, beta_slow: 1.0, log_mul: 0.0 };

impl<'a> Hyper<'a> {
    #[must_use]
    pub fn new(gguf: &'a Gguf, arch: &'a str) -> Self {
        Hyper { gguf, arch, asked: RefCell::default(), warnings: RefCell::default() }
    }

    /// The key's full name, which counts as asked for.
    pub fn key(&self, key: &'static str) -> String {
        self.asked.borrow_mut().push(key);
        format!("{}.{key}", self.arch)
    }

    fn missing<T>(&self, key: &'static str) -> Result<T> {
        bail!(MalformedGguf, "metadata '{}' is missing", self.key(key))
    }

    fn value(&self, key: &'static str) -> Option<Value<'a>> {
        self.gguf.metadata.get(&self.key(key))
    }

    /// # Errors
    /// `MalformedGguf` where it is no integer that fits.
    pub fn u32_opt(&self, key: &'static str) -> Result<Option<u32>> {
        self.gguf.metadata.u32(&self.key(key))
    }

    /// # Errors
    /// `MalformedGguf` where it is no boolean.
    pub fn bool_opt(&self, key: &'static str) -> Result<Option<bool>> {
        self.gguf.metadata.bool(&self.key(key))
    }

    /// A size: 1 to 2^20.
    ///
    /// # Errors
    /// `MalformedGguf` where it is out of range or no integer.
    pub fn dim_opt(&self, key: &'static str) -> Result<Option<u32>> {
        let value = self.u32_opt(key)?;
        value.map(|v| self.in_range(key, v)).transpose()
    }

    fn in_range(&self, key: &'static str, v: u32) -> Result<u32> {
        if v == 0 || v > MAX_DIM {
            bail!(MalformedGguf, "metadata '{}' is {v}, 1 to {MAX_DIM} is allowed", self.key(key));
        }
        Ok(v)
    }

    /// As [`Hyper::dim_opt`], and there.
    ///
    /// # Errors
    /// `MalformedGguf` where it is missing or wrong.
    pub fn dim(&self, key: &'static str) -> Result<u32> {
        self.dim_opt(key)?.map_or_else(|| self.missing(key), Ok)
    }

    /// A size that a file has once, or as an array of one value a layer.
    ///
    /// # Errors
    /// As [`Hyper::dim_opt`]; `UnsupportedArchitecture` where layers differ.
    pub fn layer_dim_opt(&self, key: &'static str) -> Result<Option<u32>> {
        match self.layer_array(key)? {
            Some(values) => self.one_for_all(key, values.into_iter().enumerate()).map(Some),
            None => self.dim_opt(key),
        }
    }

    /// The integers of an array of one value a layer; `None` where the key is no array.
    fn layer_array(&self, key: &'static str) -> Result<Option<Vec<u32>>> {
        let Some(values) = self.integers(key)? else { return Ok(None) };
        let (n_layer, name) = (self.dim("block_count")?, self.key(key));
        if values.len() != n_layer as usize {
            bail!(
                MalformedGguf,
                "metadata '{name}' has {} values, one for each of {n_layer} layers is needed",
                values.len()
            );
        }
        Ok(Some(values))
    }

    /// The value of all these layers, of which there is one at least.
    fn one_for_all(&self, key: &'static str, values: impl Iterator<Item = (usize, u32)>) -> Result<u32> {
        let mut first = None;
        for (layer, value) in values {
            let (l, n) = *first.get_or_insert((layer, self.in_range(key, value)?));
            if value != n {
                bail!(
                    UnsupportedArchitecture,
                    "metadata '{}' is {n} in layer {l} and {value} in layer {layer}; only one value for all is supported",
                    self.key(key)
                );
            }
        }
        first.map_or_else(|| self.missing(key), |(_, n)| Ok(n))
    }

    /// Key-value heads of the layers that have attention, and whether each layer has: those that the file gives no such
    /// heads have none. `None` where the key is missing.
    ///
    /// # Errors
    /// As [`Hyper::layer_dim_opt`].
    pub fn kv_heads(&self) -> Result<Option<(u32, Vec<bool>)>> {
        let key = "attention.head_count_kv";
        let Some(values) = self.layer_array(key)? else {
            let n_layer = self.dim("block_count")? as usize;
            return Ok(self.dim_opt(key)?.map(|n| (n, vec![true; n_layer])));
        };
        if values.iter().all(|&n| n == 0) {
            bail!(MalformedGguf, "metadata '{}' is 0 in all layers, 1 or more is needed in some", self.key(key));
        }
        let n = self.one_for_all(key, values.iter().copied().enumerate().filter(|&(_, n)| n > 0))?;
        Ok(Some((n, values.into_iter().map(|n| n > 0).collect())))
    }

    /// As [`Hyper::layer_dim_opt`], and there.
    ///
    /// # Errors
    /// As [`Hyper::layer_dim_opt`]; `MalformedGguf` where it is missing.
    pub fn layer_dim(&self, key: &'static str) -> Result<u32> {
        self.layer_dim_opt(key)?.map_or_else(|| self.missing(key), Ok)
    }

    /// # Errors
    /// `MalformedGguf` where it is no number.
    pub fn f32_opt(&self, key: &'static str) -> Result<Option<f32>> {
        self.gguf.metadata.f32(&self.key(key))
    }

    /// An epsilon: small and not negative.
    ///
    /// # Errors
    /// `MalformedGguf` where it is missing or out of range.
    pub fn epsilon(&self, key: &'static str) -> Result<f32> {
        let v = self.f32_opt(key)?.map_or_else(|| self.missing(key), Ok)?;
        if !(0.0..1.0).contains(&v) {
            bail!(MalformedGguf, "metadata '{}' is {v}, 0 to 1 is allowed", self.key(key));
        }
        Ok(v)
    }

    /// A number of a size that can be multiplied with and divided by; 0 stands for none.
    ///
    /// # Errors
    /// `MalformedGguf` where it is no number or out of range.
    pub fn scale_opt(&self, key: &'static str) -> Result<Option<f32>> {
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
    pub fn scale(&self, key: &'static str) -> Result<f32> {
        Ok(self.scale_opt(key)?.unwrap_or(1.0))
    }

    /// A soft cap: `default` where the key is missing, none where it is 0.
    ///
    /// # Errors
    /// As [`Hyper::scale_opt`].
    pub fn softcap(&self, key: &'static str, default: Option<f32>) -> Result<Option<f32>> {
        if self.value(key).is_some() { self.scale_opt(key) } else { Ok(default) }
    }

    /// A setting that the architecture's models are run with whatever the file says, as in llama.cpp: the first of
    /// `values`, or another that comes to the same. A file that says something else gets a warning.
    ///
    /// # Errors
    /// As [`Hyper::scale_opt`].
    pub fn fixed(&self, key: &'static str, values: &[f32]) -> Result<()> {
        let near = |a: f32, b: f32| (a - b).abs() <= 1e-3 * b.abs();
        match (self.scale_opt(key)?, values) {
            (Some(v), [run_with, ..]) if !values.iter().any(|&known| near(v, known)) => {
                self.warn(format!("metadata '{}' is {v} and ignored: the model is run with {run_with}", self.key(key)));
            }
            _ => {}
        }
        Ok(())
    }

    pub fn warn(&self, warning: String) {
        self.warnings.borrow_mut().push(warning);
    }

    /// What is doubtful about the metadata: warnings so far, and keys that nothing asked for although they may matter.
    #[must_use]
    pub fn warnings(&self, c: &ModelConfig) -> Vec<String> {
        let asked = self.asked.borrow();
        let has_windows = c.layers.iter().any(|l| l.window.is_some());
        let mut warnings = self.warnings.borrow().clone();
        for (name, value) in self.gguf.metadata.iter() {
            let Some(key) = name.strip_prefix(self.arch).and_then(|rest| rest.strip_prefix('.')) else { continue };
            let of_windows = key.ends_with("_swa") || key == "attention.sliding_window_pattern";
            let unused = c.ropes.is_empty() && key.starts_with("rope.") || !has_windows && of_windows;
            if !asked.contains(&key) && !unused && !harmless(key, &value) {
                warnings.push(format!("metadata '{name}' is not known for models of '{}' and ignored", self.arch));
            }
        }
        warnings
    }

    /// The configuration that most decoders share: RMSNorm before each block, rotary embedding of kind `rope`, a
    /// gated feed-forward block with SiLU. Architectures change what they do otherwise.
    ///
    /// # Errors
    /// `MalformedGguf` where a key is missing or wrong; `UnsupportedArchitecture` where it asks for what there is not.
    pub fn decoder(&self, rope: RopeKind) -> Result<ModelConfig> {
        self.decoder_with(rope, YARN)
    }

    /// As [`Hyper::decoder`], with these parameters where its rotary embedding is stretched by YaRN.
    ///
    /// # Errors
    /// As [`Hyper::decoder`].
    pub fn decoder_with(&self, rope: RopeKind, yarn: Yarn) -> Result<ModelConfig> {
        let base = self.blocks(Norm::Rms { eps: self.epsilon("attention.layer_norm_rms_epsilon")? })?;
        Ok(ModelConfig {
            ropes: vec![self.rope(rope, base.head_dim, yarn)?],
            layers: vec![LayerConfig { window: None, rope: Some(0), mixer: Mixer::Attention }; base.layers.len()],
            ..base
        })
    }

    /// As [`Hyper::decoder`], without rotary embedding.
    ///
    /// # Errors
    /// As [`Hyper::decoder`].
    pub fn blocks(&self, norm: Norm) -> Result<ModelConfig> {
        let (n_embd, n_layer) = (self.dim("embedding_length")?, self.dim("block_count")?);
        if n_layer > MAX_LAYERS {
            bail!(MalformedGguf, "metadata '{}' is {n_layer}, up to {MAX_LAYERS} is allowed", self.key("block_count"));
        }
        let (n_head, n_head_kv, head_dim) = self.heads(n_embd)?;
        if self.bool_opt("attention.causal")? == Some(false) {
            bail!(
                UnsupportedArchitecture,
                "metadata '{}' is false; attention to later tokens is not supported",
                self.key("attention.causal")
            );
        }
        Ok(ModelConfig {
            arch: self.arch.to_owned(),
            n_embd,
            n_head,
            n_head_kv,
            head_dim,
            // The experts of a mixture have a key of their own.
            n_ff: self.layer_dim_opt("feed_forward_length")?.unwrap_or(0),
            n_vocab: self.n_vocab()?,
            n_ctx_train: self.dim("context_length")?,
            n_ctx_orig: self.n_ctx_orig()?,
            norm,
            output_norm: "output_norm",
            pre_norm: true,
            ffn_norm: "ffn_norm",
            learned_positions: false,
            ropes: Vec::new(),
            layers: vec![LayerConfig { window: None, rope: None, mixer: Mixer::Attention }; n_layer as usize],
            n_nextn: 0,
            qk_norm: QkNorm::None,
            gated_attention: false,
            ffn: Ffn::Gated(Act::Silu),
            n_ff_shared: 0,
            dense_lead: DenseLead::default(),
            embedding_scale: 1.0,
            attention_scale: f64::from(head_dim).powf(-0.5) as f32,
            temperature: None,
            attention_softcap: None,
            residual_scale: 1.0,
            logit_scale: 1.0,
            logit_softcap: None,
            warnings: Vec::new(),
        })
    }

    /// What holds for any architecture, of a configuration that is complete.
    ///
    /// # Errors
    /// `MalformedGguf` where the feed-forward block has no width; `UnsupportedArchitecture` where attention has no heads,
    /// or heads differ in layers with a sliding window.
    pub fn check(&self, c: &ModelConfig) -> Result<()> {
        if c.n_ff == 0 {
            return self.missing("feed_forward_length");
        }
        let n_nextn = self.n_nextn()?;
        if n_nextn != c.n_nextn {
            bail!(UnsupportedArchitecture, "metadata '{}' is {n_nextn}; only 0 is supported", self.key(NEXTN));
        }
        if let Some((_, has_heads)) = self.kv_heads()? {
            let without = |(layer, has): (&LayerConfig, &bool)| !has && layer.mixer == Mixer::Attention;
            if let Some(l) = c.layers.iter().zip(&has_heads).position(without) {
                bail!(
                    UnsupportedArchitecture,
                    "metadata '{}' is 0 in layer {l}; layers of '{}' without attention are not supported",
                    self.key("attention.head_count_kv"),
                    self.arch
                );
            }
        }
        if c.layers.iter().all(|l| l.window.is_none()) {
            return Ok(());
        }
        let n_rot = c.ropes.first().map_or(0, |r| r.n_rot);
        for (key, other) in [
            ("attention.key_length_swa", c.head_dim),
            ("attention.value_length_swa", c.head_dim),
            ("rope.dimension_count_swa", n_rot),
        ] {
            if let Some(n) = self.dim_opt(key)?.filter(|&n| n != other) {
                bail!(
                    UnsupportedArchitecture,
                    "metadata '{}' is {n}; only {other}, as in other layers, is supported",
                    self.key(key)
                );
            }
        }
        Ok(())
    }

    /// # Errors
    /// `UnsupportedArchitecture` where the model is a mixture of experts.
    pub fn no_experts(&self) -> Result<()> {
        match self.u32_opt("expert_count")? {
            Some(n) if n > 0 => {
                bail!(UnsupportedArchitecture, "the model is a mixture of {n} experts, which is not supported")
            }
            _ => Ok(()),
        }
    }

    /// `attention.sliding_window`, where it is one.
    ///
    /// # Errors
    /// `MalformedGguf` where it is no integer.
    pub fn sliding_window(&self) -> Result<Option<u32>> {
        Ok(self.u32_opt("attention.sliding_window")?.filter(|&n| n > 0))
    }

    /// Gives layers a sliding window of `n_window` positions and the rotary embedding `local`, those that
    /// `attention.sliding_window_pattern` names: an array has a value for each layer; a number is a period, of which the last
    /// layer has no window, as is `period` where the key is missing.
    ///
    /// # Errors
    /// `MalformedGguf` where the pattern is neither.
    pub fn windows(&self, c: &mut ModelConfig, n_window: u32, period: u32, local: RopeConfig) -> Result<()> {
        let key = "attention.sliding_window_pattern";
        let mut has_window = vec![0.0; c.layers.len()];
        if let Some(Value::Array(pattern)) = self.value(key) {
            let Some(values) = pattern.numbers_or_flags() else {
                let (name, ty) = (self.key(key), pattern.ty);
                bail!(MalformedGguf, "metadata '{name}' is an array of {ty:?}, booleans or integers are needed");
            };
            // Layers that it says nothing of have none.
            has_window.iter_mut().zip(values).for_each(|(has, v)| *has = v);
        } else {
            let period = self.u32_opt(key)?.unwrap_or(period) as usize;
            for (l, has) in has_window.iter_mut().enumerate() {
                *has = if period == 0 || l % period < period - 1 { 1.0 } else { 0.0 };
            }
        }
        for (layer, has) in c.layers.iter_mut().zip(has_window) {
            if has != 0.0 {
                (layer.window, layer.rope) = (Some(n_window), Some(c.ropes.len()));
            }
        }
        c.ropes.push(local);
        Ok(())
    }

    /// Layers that predict further tokens: the last of `block_count`.
    ///
    /// # Errors
    /// `MalformedGguf` where it is no integer.
    pub fn n_nextn(&self) -> Result<u32> {
        Ok(self.u32_opt(NEXTN)?.unwrap_or(0))
    }

    /// An array of one flag a layer; `None` where the key is no array.
    ///
    /// # Errors
    /// `MalformedGguf` where it has another length, or elements that are neither integers nor booleans.
    pub fn layer_flags(&self, key: &'static str) -> Result<Option<Vec<bool>>> {
        Ok(self.layer_array(key)?.map(|values| values.into_iter().map(|v| v > 0).collect()))
    }

    /// The integers of an array; `None` where the key is missing or no array.
    ///
    /// # Errors
    /// `MalformedGguf` where they are no integers.
    pub fn integers(&self, key: &'static str) -> Result<Option<Vec<u32>>> {
        let Some(Value::Array(array)) = self.value(key) else { return Ok(None) };
        let integers = array.numbers_or_flags().filter(|_| !matches!(array.ty, ValueType::F32 | ValueType::F64));
        match integers {
            // The conversion saturates.
            Some(values) => Ok(Some(values.map(|value| value as u32).collect())),
            None => {
                bail!(MalformedGguf, "metadata '{}' is an array of {:?}, integers are needed", self.key(key), array.ty)
            }
        }
    }

    /// The vocabulary's size: the embedding's rows, which the tokenizer must match.
    fn n_vocab(&self) -> Result<u32> {
        let t = self.gguf.require("token_embd.weight")?;
        u32::try_from(t.rows()).ok().filter(|_| t.shape.len() == 2).ok_or_else(|| {
            Error::MalformedGguf(format!("tensor 'token_embd.weight' has shape {:?}, a matrix is needed", t.shape))
        })
    }

    /// `rope.scaling.original_context_length`; the context where it is missing or 0.
    fn n_ctx_orig(&self) -> Result<u32> {
        match self.u32_opt("rope.scaling.original_context_length")?.filter(|&n| n > 0) {
            Some(n) => self.in_range("rope.scaling.original_context_length", n),
            None => self.dim("context_length"),
        }
    }

    /// Heads of queries and of keys and values, and the elements of one.
    fn heads(&self, n_embd: u32) -> Result<(u32, u32, u32)> {
        let n_head = self.layer_dim("attention.head_count")?;
        let n_head_kv = self.kv_heads()?.map_or(n_head, |(n, _)| n);
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
    fn rope(&self, kind: RopeKind, head_dim: u32, yarn: Yarn) -> Result<RopeConfig> {
        let n_rot = self.dim_opt("rope.dimension_count")?.unwrap_or(head_dim);
        let multiple = if kind == RopeKind::Interleaved { 4 } else { 8 };
        if n_rot > head_dim || !n_rot.is_multiple_of(multiple) {
            bail!(
                UnsupportedArchitecture,
                "{n_rot} of a head's {head_dim} elements rotate; multiples of {multiple} up to {head_dim} are supported"
            );
        }
        let freq_base = self.freq_base("rope.freq_base", 10_000.0)?;
        // The key of older files is the second.
        let key = ["rope.scaling.factor", "rope.scale_linear"].into_iter().find(|key| self.value(key).is_some());
        let factor = key.map_or(Ok(1.0), |key| self.scale(key))?;
        let scaling = match self.gguf.metadata.str(&self.key("rope.scaling.type"))? {
            Some("none") => RopeScaling::None,
            // Factors of LongRoPE are in tensors of the file, and come on top of this one.
            None | Some("linear" | "longrope" | "yarn") if factor == 1.0 => RopeScaling::None,
            None | Some("linear" | "longrope") => RopeScaling::Linear { factor },
            Some("yarn") => {
                let Yarn { beta_fast, beta_slow, .. } = yarn;
                self.fixed("rope.scaling.yarn_beta_fast", &[beta_fast])?;
                self.fixed("rope.scaling.yarn_beta_slow", &[beta_slow])?;
                let magnitude = 1.0 + 0.1 * f64::from(factor.max(1.0)).ln();
                self.fixed("rope.scaling.yarn_attn_factor", &[magnitude as f32, 1.0])?;
                RopeScaling::Yarn { factor, n_ctx_orig: self.n_ctx_orig()?, beta_fast, beta_slow }
            }
            Some(other) => {
                bail!(UnsupportedArchitecture, "rope scaling '{other}'; none, linear, yarn and longrope are supported")
            }
        };
        let mut magnitude = self.scale("rope.scaling.attn_factor")?;
        if let RopeScaling::Yarn { factor, .. } = scaling {
            magnitude /= 1.0 + 0.1 * yarn.log_mul * factor.max(1.0).ln();
        }
        Ok(RopeConfig { kind, n_rot, freq_base, scaling, magnitude })
    }

    /// The base of rotary frequencies, of the key or else this one.
    ///
    /// # Errors
    /// `MalformedGguf` where it is no number above 0.
    pub fn freq_base(&self, key: &'static str, default: f32) -> Result<f32> {
        let base = self.f32_opt(key)?.unwrap_or(default);
        if base <= 0.0 {
            bail!(MalformedGguf, "metadata '{}' is {base}, more than 0 is needed", self.key(key));
        }
        Ok(base)
    }
}

/// Whether a key that nothing asks for changes no logits.
fn harmless(key: &str, value: &Value<'_>) -> bool {
    let neutral = |v: f64| v == 0.0 || NEUTRAL.iter().any(|(name, values)| *name == key && values.contains(&v));
    HARMLESS.contains(&key)
        || match value {
            Value::Int(v) => neutral(*v as f64),
            Value::Float(v) => neutral(*v),
            Value::Bool(v) => neutral(f64::from(u8::from(*v))),
            Value::String(text) => text.is_empty(),
            Value::Array(array) => array.numbers_or_flags().is_some_and(|mut values| values.all(neutral)),
        }
}
