//! What a caller may want to know of a loaded model.

use std::borrow::Cow;

use serde::Serialize;

use super::{GenerateOptions, LoadTimes, Model, Need, Sampling};
use crate::error::Result;
use crate::formats::gguf::{GgmlType, Gguf};
use crate::ops::Feature;
use crate::source::ByteSource;
use crate::tokenizer::Text;

/// A loaded model, described.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// `general.name`, where the file has one.
    pub name: Option<String>,
    pub architecture: String,
    pub parameters: u64,
    /// Tensor types by the parameters they hold, the most first.
    pub types: Vec<String>,
    pub layers: u32,
    pub embedding_length: u32,
    pub vocabulary_size: u32,
    pub trained_context_length: u32,
    pub context_length: u32,
    /// The file's size in bytes, where it is known.
    pub file_bytes: Option<u64>,
    /// Whether the source could be read in ranges; otherwise it came as one stream.
    pub ranges: bool,
    pub memory: MemoryInfo,
    pub load_ms: LoadTimes,
    pub gpu: GpuInfo,
    /// What a call that names no such options generates with.
    pub defaults: Defaults,
    /// What `format_chat` can use: names of templates; none where it needs one.
    pub chat_templates: Vec<String>,
    /// Dispatches of a decode step.
    pub decode_dispatches: usize,
    pub warnings: Vec<String>,
}

/// GPU memory in bytes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryInfo {
    pub weights: u64,
    pub kv_cache: u64,
    /// `f32`, `f16` or `q8_0`
    pub kv_cache_type: &'static str,
    /// KV cache that one more position of context takes.
    pub kv_bytes_per_position: u64,
    pub activations: u64,
}

/// Options of `generate` where the caller gives none.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Defaults {
    pub max_tokens: u32,
    #[serde(flatten)]
    pub sampling: Sampling,
}

/// The GPU and what is used of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuInfo {
    pub adapter: String,
    pub backend: String,
    pub max_binding_bytes: u64,
    /// Invocations of the smallest subgroup; 0 where subgroups are not used.
    pub subgroup_size: u32,
    /// Dispatches of a submit at most; `None` where all go at once.
    pub dispatches_per_submit: Option<usize>,
    /// What kernels could make use of, whether they do, and why.
    pub features: Vec<Feature>,
}

/// The types of a file's tensors by the parameters they hold, the most first.
#[must_use]
pub fn types(gguf: &Gguf) -> Vec<(GgmlType, u64)> {
    let mut types: Vec<(GgmlType, u64)> = Vec::new();
    for t in &gguf.tensors {
        match types.iter_mut().find(|(ty, _)| *ty == t.ty) {
            Some((_, n)) => *n += t.n_elems(),
            None => types.push((t.ty, t.n_elems())),
        }
    }
    types.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    types
}

impl Info {
    pub(super) fn new<S: ByteSource>(
        gguf: &Gguf,
        model: &Model,
        decode_dispatches: usize,
        text: &Text,
        source: &S,
    ) -> Result<Self> {
        let c = &model.config;
        let caps = &model.gpu.caps;
        let Need { sizes, bytes } = &model.need;
        let GenerateOptions { max_tokens, sampling, .. } = GenerateOptions::default();
        Ok(Info {
            name: gguf.metadata.description("general.name").map(Cow::into_owned),
            architecture: c.arch.clone(),
            parameters: gguf.n_params(),
            types: types(gguf).iter().map(|(ty, _)| ty.to_string()).collect(),
            layers: c.n_layer(),
            embedding_length: c.n_embd,
            vocabulary_size: c.n_vocab,
            trained_context_length: c.n_ctx_train,
            context_length: model.n_ctx(),
            file_bytes: source.len(),
            ranges: source.random_access(),
            memory: MemoryInfo {
                weights: bytes.weights,
                kv_cache: bytes.kv_cache,
                kv_cache_type: sizes.kv_type.name(),
                kv_bytes_per_position: bytes.position,
                activations: bytes.activations,
            },
            load_ms: model.times,
            gpu: GpuInfo {
                adapter: caps.adapter.clone(),
                backend: caps.backend.to_owned(),
                max_binding_bytes: caps.max_binding_bytes,
                subgroup_size: caps.subgroup_min,
                dispatches_per_submit: Some(caps.dispatches_per_submit).filter(|&n| n < usize::MAX),
                features: Vec::new(),
            },
            defaults: Defaults { max_tokens, sampling },
            chat_templates: text.chat_templates().into_iter().map(str::to_owned).collect(),
            decode_dispatches,
            warnings: c.warnings.iter().map(String::as_str).chain(text.warnings()).map(str::to_owned).collect(),
        })
    }
}
