//! A model file whose header was read: all that there is to know before a GPU is needed.

use super::{ModelConfig, arch};
use crate::error::{Result, bail};
use crate::formats::gguf::Gguf;
use crate::load::{LoadEvents, read_header};
use crate::source::{Buffered, ByteSource};
use crate::tokenizer::Text;

/// What the header of a model file says.
pub struct Opened<'s, S> {
    pub gguf: Gguf,
    pub config: ModelConfig,
    pub text: Text,
    /// The file, with what was read beyond the header.
    pub source: Buffered<'s, S>,
}

impl<'s, S: ByteSource> Opened<'s, S> {
    /// # Errors
    /// As [`read_header`], [`arch::config`] and [`Text::from_gguf`]; `MalformedGguf` where these contradict each other.
    pub async fn read(source: &'s S, events: &dyn LoadEvents) -> Result<Self> {
        let (gguf, source) = read_header(source, events).await?;
        let config = arch::config(&gguf)?;
        let text = Text::from_gguf(&gguf.metadata)?;
        let n_tokens = text.tokenizer.n_vocab();
        if n_tokens != config.n_vocab {
            bail!(MalformedGguf, "the tokenizer has {n_tokens} tokens, the embedding {} rows", config.n_vocab);
        }
        Ok(Opened { gguf, config, text, source })
    }
}
