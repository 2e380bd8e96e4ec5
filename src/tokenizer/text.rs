//! All that a model file says about text: its tokenizer and its chat templates.

#[cfg(feature = "templates")]
use super::chat::ChatTemplates;
use super::{EncodeOptions, Prompt, Tokenizer};
use crate::error::Result;
use crate::formats::gguf::Metadata;

/// The text side of a model. It needs the file's header only, and no GPU.
#[derive(Debug)]
pub struct Text {
    pub tokenizer: Tokenizer,
    #[cfg(feature = "templates")]
    pub templates: ChatTemplates,
}

impl Text {
    /// # Errors
    /// As [`Tokenizer::from_gguf`] and `ChatTemplates::from_gguf`.
    pub fn from_gguf(metadata: &Metadata) -> Result<Text> {
        let tokenizer = Tokenizer::from_gguf(metadata)?;
        Ok(Text {
            #[cfg(feature = "templates")]
            templates: ChatTemplates::from_gguf(metadata, &tokenizer)?,
            tokenizer,
        })
    }

    /// What is doubtful about tokenizer and templates, for the user of the file to see.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let of_tokenizer = self.tokenizer.warnings().iter();
        #[cfg(feature = "templates")]
        let of_tokenizer = of_tokenizer.chain(self.templates.warnings());
        of_tokenizer.map(String::as_str)
    }

    /// What a chat's prompt can be made with, see `ChatTemplates::usable`: nothing in a build without templates.
    #[must_use]
    pub fn chat_templates(&self) -> Vec<&str> {
        #[cfg(feature = "templates")]
        return self.templates.usable();
        #[cfg(not(feature = "templates"))]
        Vec::new()
    }

    /// The ids of a prompt that the model is to go on with: special tokens by name, and the begin token where the model
    /// wants one. A prompt that starts with it, as many chat templates write it, gets no second; an end token, which
    /// some models want after a text, would be no start of an answer.
    #[must_use]
    pub fn prompt_ids(&self, prompt: &str) -> Vec<u32> {
        self.prompt_ids_after(&prompt.into(), &[])
    }

    /// The token that a prompt begins with, where the model wants one.
    fn begin(&self) -> Option<u32> {
        self.tokenizer.special_ids().bos.filter(|_| self.tokenizer.adds_bos())
    }

    /// As [`Text::prompt_ids`], but of a text of unknown origin: what spells a control token in it is letters.
    #[must_use]
    pub fn plain_prompt_ids(&self, prompt: &str) -> Vec<u32> {
        let mut ids: Vec<u32> = self.begin().into_iter().collect();
        ids.extend(self.tokenizer.encode(prompt, EncodeOptions::default()));
        ids
    }

    /// As [`Text::prompt_ids`], but what `known` ids already say stays in those ids, up to the last special token where
    /// they agree with the prompt. A model may write a word in other tokens than the tokenizer would: told again, it
    /// should hear what it wrote, and what is in its cache needs no computing.
    #[must_use]
    pub fn prompt_ids_after(&self, prompt: &Prompt, known: &[u32]) -> Vec<u32> {
        let is_there = |bos| {
            prompt.text.as_bytes().starts_with(self.tokenizer.token_bytes(bos)) && self.tokenizer.reads(prompt, 0, bos)
        };
        let added = self.begin().filter(|&bos| !is_there(bos));
        let mut ids: Vec<u32> = added.into_iter().collect();
        let known = known.strip_prefix(ids.as_slice()).unwrap_or_default();
        let (n_known, n_bytes) = self.tokenizer.agreement(prompt, known);
        ids.extend_from_slice(&known[..n_known]);
        ids.extend(self.tokenizer.encode_prompt(prompt, n_bytes));
        ids
    }
}
