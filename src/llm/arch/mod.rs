//! Architectures: one file each, which maps metadata to [`ModelConfig`].

mod ernie4_5;
mod exaone4;
mod gemma;
mod gemma2;
mod gemma3;
mod gpt2;
mod granite;
mod hunyuan_dense;
mod lfm2;
mod lfm2moe;
mod llama;
mod mistral3;
mod olmo2;
mod phi3;
mod qwen2;
mod qwen3;
mod qwen35;
mod qwen35moe;
mod qwen3moe;
mod smollm3;

use super::config::ModelConfig;
use super::hyper::Hyper;
use crate::error::{Result, bail};
use crate::formats::gguf::Gguf;
use crate::load::ENCODERS;

type Configure = fn(&Hyper<'_>) -> Result<ModelConfig>;

/// `general.architecture` and the function that reads its metadata.
const ARCHITECTURES: [(&str, Configure); 20] = [
    ("ernie4_5", ernie4_5::config),
    ("exaone4", exaone4::config),
    ("gemma", gemma::config),
    ("gemma2", gemma2::config),
    ("gemma3", gemma3::config),
    ("gpt2", gpt2::config),
    ("granite", granite::config),
    ("hunyuan-dense", hunyuan_dense::config),
    ("lfm2", lfm2::config),
    ("lfm2moe", lfm2moe::config),
    ("llama", llama::config),
    ("mistral3", mistral3::config),
    ("olmo2", olmo2::config),
    ("phi3", phi3::config),
    ("qwen2", qwen2::config),
    ("qwen3", qwen3::config),
    ("qwen35", qwen35::config),
    ("qwen35moe", qwen35moe::config),
    ("qwen3moe", qwen3moe::config),
    ("smollm3", smollm3::config),
];

/// The architectures that can be run, for messages.
#[must_use]
pub fn supported() -> String {
    ARCHITECTURES.map(|(name, _)| name).join(", ")
}

/// The configuration of the model in a file.
///
/// # Errors
/// `UnsupportedArchitecture` where the architecture is not among [`supported`] or asks for what there is not;
/// `MalformedGguf` where its metadata is missing or contradictory.
pub fn config(gguf: &Gguf) -> Result<ModelConfig> {
    let arch = gguf.architecture()?;
    if ENCODERS.contains(&arch) {
        bail!(
            UnsupportedArchitecture,
            "the model's architecture is '{arch}': it makes vectors of texts, and no text; load it with webgguf/embed"
        );
    }
    let Some((_, configure)) = ARCHITECTURES.iter().find(|(name, _)| *name == arch) else {
        bail!(UnsupportedArchitecture, "the model's architecture is '{arch}'; supported are {}", supported());
    };
    let h = Hyper::new(gguf, arch);
    let mut config = configure(&h)?;
    h.check(&config)?;
    config.warnings = h.warnings(&config);
    Ok(config)
}
