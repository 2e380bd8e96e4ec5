//! All that a model file says about text: its tokenizer and its chat templates.

use super::chat::{ChatTemplate, ChatTemplates, CivilTime, Value, Variables};
use super::{EncodeOptions, Tokenizer};
use crate::error::{Result, bail};
use crate::gguf::Metadata;

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

    /// The ids of a prompt that the model is to go on with: special tokens by name, and the begin token where the model
    /// wants one. A prompt that starts with it, as many chat templates write it, gets no second; an end token, which
    /// some models want after a text, would be no start of an answer.
    #[must_use]
    pub fn prompt_ids(&self, prompt: &str) -> Vec<u32> {
        self.prompt_ids_after(prompt, &[])
    }

    /// As [`Text::prompt_ids`], but of a text of unknown origin: what spells a control token in it is letters.
    #[must_use]
    pub fn plain_prompt_ids(&self, prompt: &str) -> Vec<u32> {
        let mut ids: Vec<u32> =
            self.tokenizer.special_ids().bos.filter(|_| self.tokenizer.adds_bos()).into_iter().collect();
        ids.extend(self.tokenizer.encode(prompt, EncodeOptions::default()));
        ids
    }

    /// As [`Text::prompt_ids`], but what `known` ids already say stays in those ids, up to the last special token where
    /// they agree with the prompt. A model may write a word in other tokens than the tokenizer would: told again, it
    /// should hear what it wrote, and what is in its cache needs no computing.
    #[must_use]
    pub fn prompt_ids_after(&self, prompt: &str, known: &[u32]) -> Vec<u32> {
        let bos = self.tokenizer.special_ids().bos.filter(|_| self.tokenizer.adds_bos());
        let added = bos.filter(|&bos| !prompt.as_bytes().starts_with(self.tokenizer.token_bytes(bos)));
        let mut ids: Vec<u32> = added.into_iter().collect();
        let known = known.strip_prefix(ids.as_slice()).unwrap_or_default();
        let (n_known, n_bytes) = self.tokenizer.agreement(prompt, known);
        ids.extend_from_slice(&known[..n_known]);
        let parse_special = EncodeOptions { add_special: false, parse_special: true };
        ids.extend(self.tokenizer.encode(&prompt[n_bytes..], parse_special));
        ids
    }

    /// The prompt that a chat template makes of `messages` and the other variables. `template` is the name of one of the
    /// file's, or a template's source, which has braces in it.
    ///
    /// # Errors
    /// `InvalidArgument` where there are no messages or one has no role; `Template` where the file has no such template
    /// or rendering fails, which names the line.
    pub fn format_chat(&self, variables: &Variables, template: Option<&str>, now: CivilTime) -> Result<String> {
        check_messages(variables.get("messages"))?;
        let has_tools = variables.get("tools").is_some_and(Value::is_true);
        let source = match template {
            Some(source) if source.contains('{') => source,
            name => self.templates.source(name, has_tools)?,
        };
        ChatTemplate::new(source)?.with_tokens(&self.tokenizer).render(variables, now)
    }
}

fn check_messages(messages: Option<&Value>) -> Result<()> {
    use minijinja::value::ValueKind;
    let found = messages.map_or(ValueKind::Undefined, Value::kind);
    let (Some(messages), ValueKind::Seq) = (messages, found) else {
        bail!(InvalidArgument, "the messages are {found}; an array of messages is needed");
    };
    for (i, message) in messages.try_iter().into_iter().flatten().enumerate() {
        let role = message.get_attr("role").unwrap_or_default();
        if role.as_str().is_none() {
            let found = role.kind();
            bail!(InvalidArgument, "the role of message {i} is {found}; a string such as 'user' is needed");
        }
    }
    Ok(())
}
