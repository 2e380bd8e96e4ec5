//! All that a model file says about text: its tokenizer and its chat templates.

use super::chat::{ChatTemplate, ChatTemplates, CivilTime, Prompt, Value, Variables, as_text};
use super::{EncodeOptions, Tokenizer};
use crate::error::{Result, bail};
use crate::formats::gguf::Metadata;

/// The text side of a model. It needs the file's header only, and no GPU.
#[derive(Debug)]
pub struct Text {
    pub tokenizer: Tokenizer,
    pub templates: ChatTemplates,
}

impl Text {
    /// # Errors
    /// As [`Tokenizer::from_gguf`] and [`ChatTemplates::from_gguf`].
    pub fn from_gguf(metadata: &Metadata) -> Result<Text> {
        let tokenizer = Tokenizer::from_gguf(metadata)?;
        let templates = ChatTemplates::from_gguf(metadata, &tokenizer)?;
        Ok(Text { tokenizer, templates })
    }

    /// What is doubtful about tokenizer and templates, for the user of the file to see.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.tokenizer.warnings().iter().chain(self.templates.warnings()).map(String::as_str)
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

    /// The prompt that a chat template makes of `messages` and the other variables. `template` is the name of one of the
    /// file's, or a template's source, which has braces in it. Content in parts of text becomes text where the template
    /// takes text only.
    ///
    /// # Errors
    /// `InvalidArgument` where there are no messages or one has no role; `Template` where the file has no such template
    /// or rendering fails, which names the line.
    pub fn format_chat(&self, variables: &Variables, template: Option<&str>, now: CivilTime) -> Result<Prompt> {
        check_messages(variables.get("messages"))?;
        let has_tools = variables.get("tools").is_some_and(Value::is_true);
        let source = match template {
            Some(source) if source.contains('{') => source,
            name => self.templates.source(name, has_tools)?,
        };
        let template = ChatTemplate::new(source)?.with_tokens(&self.tokenizer);
        template.render(&as_text(&template, variables.clone(), now)?, now)
    }
}

fn check_messages(messages: Option<&Value>) -> Result<()> {
    let found = messages.map_or("undefined", Value::kind);
    let Some(messages) = messages.and_then(Value::as_list) else {
        bail!(InvalidArgument, "the messages are {found}; an array of messages is needed");
    };
    for (i, message) in messages.iter().enumerate() {
        let role = message.get("role");
        if role.and_then(Value::as_str).is_none() {
            let found = role.map_or("undefined", Value::kind);
            bail!(InvalidArgument, "the role of message {i} is {found}; a string such as 'user' is needed");
        }
    }
    Ok(())
}
