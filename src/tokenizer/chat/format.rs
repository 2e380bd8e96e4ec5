//! The prompt that a chat becomes.

use super::{ChatTemplate, CivilTime, Value, Variables, as_text};
use crate::error::{Result, bail};
use crate::tokenizer::{Prompt, Text};

impl Text {
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
