//! What an encoder is, read from the metadata of its file.

use crate::error::{Result, bail};
use crate::formats::gguf::Gguf;
use crate::load::ENCODERS;
use crate::ops::Pooling;

/// No known encoder is larger in any of these; the products of them stay within u64 by far.
const MAX_DIM: u32 = 1 << 20;
const MAX_LAYERS: u32 = 1024;
/// Keys that are read, and keys that change no vector.
const KNOWN_KEYS: [&str; 13] = [
    "attention.causal",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.layer_norm_epsilon",
    "block_count",
    "classifier.output_labels",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "pooling_type",
    "rope.freq_base",
    "token_type_count",
    "vocab_size",
];
/// The `pooling_type` of rerankers.
const RANK: u32 = 4;

/// The sizes of a BERT (Devlin et al. 2018, arXiv:1810.04805), and what is done with its output.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderConfig {
    /// `general.architecture`
    pub arch: String,
    /// Width of a row, C, and of a vector.
    pub n_embd: u32,
    pub n_head: u32,
    /// Width of the feed-forward block, F.
    pub n_ff: u32,
    pub n_layer: u32,
    /// The most tokens that a text can have.
    pub n_ctx: u32,
    pub norm_eps: f32,
    pub pooling: Pooling,
    /// What is doubtful about the file's metadata, for its user to see.
    pub warnings: Vec<String>,
}

impl EncoderConfig {
    /// # Errors
    /// `UnsupportedArchitecture` where the architecture is another one, or asks for what there is not; `MalformedGguf` where its metadata
    /// is missing or contradictory.
    pub fn of(gguf: &Gguf) -> Result<Self> {
        let arch = gguf.architecture()?;
        if !ENCODERS.contains(&arch) {
            let supported = ENCODERS.join(", ");
            bail!(
                UnsupportedArchitecture,
                "the model's architecture is '{arch}', which makes no embeddings here; supported are {supported}"
            );
        }
        let key = |name: &str| format!("{arch}.{name}");
        let dim = |name: &str, most: u32| match gguf.metadata.u32(&key(name))? {
            Some(v) if (1..=most).contains(&v) => Ok(v),
            Some(v) => bail!(MalformedGguf, "metadata '{}' is {v}, 1 to {most} is allowed", key(name)),
            None => bail!(MalformedGguf, "metadata '{}' is missing", key(name)),
        };
        let Some(norm_eps) = gguf.metadata.f32(&key("attention.layer_norm_epsilon"))? else {
            bail!(MalformedGguf, "metadata '{}' is missing", key("attention.layer_norm_epsilon"));
        };
        if !(1e-30..1.0).contains(&norm_eps) {
            bail!(MalformedGguf, "metadata '{}' is {norm_eps}", key("attention.layer_norm_epsilon"));
        }
        if gguf.metadata.bool(&key("attention.causal"))? == Some(true) {
            bail!(
                UnsupportedArchitecture,
                "metadata '{}' is true: such encoders are not supported",
                key("attention.causal")
            );
        }
        let mut warnings = Vec::new();
        let pooling = match gguf.metadata.u32(&key("pooling_type"))? {
            Some(1) => Pooling::Mean,
            Some(2) => Pooling::Cls,
            Some(3) => Pooling::Last,
            None | Some(0) => {
                warnings.push("the file names no pooling: a vector is the mean of its text's".into());
                Pooling::Mean
            }
            Some(RANK) => {
                bail!(UnsupportedArchitecture, "the model is a reranker: it scores pairs of texts, and embeds none")
            }
            Some(v) => bail!(MalformedGguf, "metadata '{}' is {v}, 0 to {RANK} is allowed", key("pooling_type")),
        };
        let prefix = key("");
        let unknown = gguf.metadata.iter().filter_map(|(key, _)| key.strip_prefix(&prefix));
        for name in unknown.filter(|name| !KNOWN_KEYS.contains(name)) {
            warnings.push(format!("metadata '{}' is not known and has no effect", key(name)));
        }
        let config = EncoderConfig {
            arch: arch.to_owned(),
            n_embd: dim("embedding_length", MAX_DIM)?,
            n_head: dim("attention.head_count", MAX_DIM)?,
            n_ff: dim("feed_forward_length", MAX_DIM)?,
            n_layer: dim("block_count", MAX_LAYERS)?,
            n_ctx: dim("context_length", MAX_DIM)?,
            norm_eps,
            pooling,
            warnings,
        };
        if !config.n_embd.is_multiple_of(config.n_head) {
            bail!(MalformedGguf, "{} elements are no {} heads of one size", config.n_embd, config.n_head);
        }
        if let Some(n) = gguf.metadata.u32(&key("attention.head_count_kv"))?
            && n != config.n_head
        {
            bail!(
                UnsupportedArchitecture,
                "metadata '{}' is {n}, {} is supported",
                key("attention.head_count_kv"),
                config.n_head
            );
        }
        Ok(config)
    }

    /// Elements of a head, D.
    #[must_use]
    pub fn head_dim(&self) -> u32 {
        self.n_embd / self.n_head
    }

    /// Multiplications and additions of matrices for a token.
    #[must_use]
    pub fn flops(&self) -> f64 {
        let [c, f] = [self.n_embd, self.n_ff].map(f64::from);
        2.0 * f64::from(self.n_layer) * (4.0 * c * c + 2.0 * c * f)
    }
}
