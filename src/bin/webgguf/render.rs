//! `webgguf render`.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use webgguf::tokenizer::Text;
use webgguf::tokenizer::chat::{ChatTemplate, CivilTime, Variables};

use crate::Failure;
use crate::source::Source;

/// Write the prompt that a chat template makes of messages.
#[derive(Args)]
pub struct Render {
    /// A GGUF file or its URL, or a template whose name ends in .jinja
    file: String,
    /// A JSON file: an array of messages, or an object with `messages` and other variables
    #[arg(long)]
    messages: PathBuf,
    /// A JSON file: an array of tools
    #[arg(long)]
    tools: Option<PathBuf>,
    /// The name of the template, where the file has several, or the source of one
    #[arg(long)]
    template: Option<String>,
    /// End with the messages, without the beginning of an answer
    #[arg(long)]
    no_generation_prompt: bool,
}

impl Render {
    pub fn run(&self) -> Result<(), Failure> {
        let mut variables = Variables::new();
        let messages = read_text(&self.messages)?;
        match messages.trim_start().starts_with('[') {
            true => variables.set_json("messages", &messages)?,
            false => variables = Variables::from_json(&messages)?,
        }
        if let Some(tools) = &self.tools {
            variables.set_json("tools", &read_text(tools)?)?;
        }
        if variables.get("add_generation_prompt").is_none() {
            variables.set("add_generation_prompt", !self.no_generation_prompt);
        }
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = CivilTime::from_unix(i64::try_from(seconds).unwrap_or(0));
        let prompt = match self.file.ends_with(".jinja") {
            true => ChatTemplate::new(&read_text(Path::new(&self.file))?)?.render(&variables, now)?,
            false => {
                let text = Text::from_gguf(&Source::open(&self.file)?.header()?.metadata)?;
                text.format_chat(&variables, self.template.as_deref(), now)?
            }
        };
        stdout().write_all(prompt.text.as_bytes())?;
        Ok(())
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| format!("'{}' can't be read: {error}", path.display()).into())
}
