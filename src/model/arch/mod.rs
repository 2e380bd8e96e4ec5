//! Architectures: one file each, which maps metadata to [`ModelConfig`].

mod gpt2;
mod llama;

use super::config::{Hyper, ModelConfig};
use crate::error::{Result, bail};
use crate::gguf::Gguf;

type Configure = fn(&Hyper<'_>) -> Result<ModelConfig>;

/// `general.architecture` and the function that reads its metadata.
const ARCHITECTURES: [(&str, Configure); 2] = [("gpt2", gpt2::config), ("llama", llama::config)];

/// The architectures that can be run, for messages.
#[must_use]
pub fn supported() -> String {
    ARCHITECTURES.map(|(name, _)| name).join(", ")
}

/// The configuration of the model in a file.
///
/// # Errors
/// `UnsupportedArchitecture` where the architecture is not among [`supported`]; `MalformedGguf` where its
/// metadata is missing or contradictory.
pub fn config(gguf: &Gguf) -> Result<ModelConfig> {
    let arch = gguf.architecture()?;
    let Some((_, configure)) = ARCHITECTURES.iter().find(|(name, _)| *name == arch) else {
        bail!(UnsupportedArchitecture, "the model's architecture is '{arch}'; supported are {}", supported());
    };
    configure(&Hyper { gguf, arch })
}
