//! `webgguf generate`.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use webgguf::constrain::Format;
use webgguf::llm::{GenerateOptions, LoadOptions, Session};

use crate::Failure;
use crate::source::Source;

/// Continue a prompt on this machine's GPU, or on its software Vulkan.
#[derive(Args)]
pub struct Generate {
    /// A GGUF file or its URL
    file: String,
    #[arg(long, default_value = "")]
    prompt: String,
    /// Tokens to generate at most [default: 512]
    #[arg(long)]
    max_tokens: Option<u32>,
    /// 0 is greedy [default: 0.8]
    #[arg(long)]
    temperature: Option<f32>,
    /// Keep so many of the likeliest tokens; 0 keeps all [default: 40]
    #[arg(long)]
    top_k: Option<u32>,
    /// Keep the likeliest tokens that make up this probability together [default: 0.95]
    #[arg(long)]
    top_p: Option<f32>,
    /// Keep tokens at least this probable, relative to the likeliest [default: 0.05]
    #[arg(long)]
    min_p: Option<f32>,
    /// What the scores of recent tokens are divided by [default: 1]
    #[arg(long)]
    repeat_penalty: Option<f32>,
    /// The same seed, prompt and options give the same text
    #[arg(long)]
    seed: Option<u32>,
    /// The text ends before this; may be given several times
    #[arg(long)]
    stop: Vec<String>,
    /// Write a JSON value of the schema in this file
    #[arg(long, value_name = "FILE", group = "format")]
    json_schema: Option<PathBuf>,
    /// Write what this pattern matches as a whole
    #[arg(long, value_name = "PATTERN", group = "format")]
    regex: Option<String>,
    /// Write what the GBNF grammar in this file makes of its rule 'root'
    #[arg(long, value_name = "FILE", group = "format")]
    grammar: Option<PathBuf>,
    /// Positions that the prompt and the text share
    #[arg(long)]
    context: Option<u32>,
    /// Write figures to the error output at the end
    #[arg(long)]
    stats: bool,
}

impl Generate {
    pub fn run(&self) -> Result<(), Failure> {
        pollster::block_on(self.generate())
    }

    async fn generate(&self) -> Result<(), Failure> {
        let load = LoadOptions { context_length: self.context, ..LoadOptions::default() };
        let session = Session::load(&Source::open(&self.file)?, &load, &()).await?;
        for warning in &session.info.warnings {
            eprintln!("webgguf: warning: {warning}");
        }
        let constraint = self.format()?.map(|format| session.constraint(format, true)).transpose()?;
        let prompt = session.text.prompt_ids(&self.prompt);
        let mut generation = session.generate_within(0, &prompt, self.options(), constraint).await?;
        let mut out = stdout();
        out.write_all(self.prompt.as_bytes())?;
        while let Some(text) = generation.next().await? {
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        drop(generation);
        writeln!(out)?;
        if self.stats {
            let s = session.stats();
            eprintln!(
                "{} prompt tokens at {:.1}/s, {} generated at {:.1}/s, on {}",
                s.prompt_tokens,
                s.prefill_per_second(),
                s.generated_tokens,
                s.decode_per_second(),
                session.info.gpu.adapter
            );
        }
        Ok(())
    }

    fn options(&self) -> GenerateOptions {
        let mut options = GenerateOptions { stop: self.stop.clone(), ..GenerateOptions::default() };
        options.max_tokens = self.max_tokens.unwrap_or(options.max_tokens);
        let s = &mut options.sampling;
        s.temperature = self.temperature.unwrap_or(s.temperature);
        s.top_k = self.top_k.unwrap_or(s.top_k);
        s.top_p = self.top_p.unwrap_or(s.top_p);
        s.min_p = self.min_p.unwrap_or(s.min_p);
        s.repeat_penalty = self.repeat_penalty.unwrap_or(s.repeat_penalty);
        // Another text each time, unless asked otherwise.
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        s.seed = self.seed.unwrap_or_else(|| clock.map_or(0, |t| t.subsec_nanos()));
        options
    }

    fn format(&self) -> Result<Option<Format>, Failure> {
        let read =
            |path: &Path| std::fs::read_to_string(path).map_err(|e| format!("'{}' can't be read: {e}", path.display()));
        Ok(match (&self.json_schema, &self.regex, &self.grammar) {
            (Some(path), ..) => Some(Format::JsonSchema(read(path)?)),
            (_, Some(pattern), _) => Some(Format::Regex(pattern.clone())),
            (.., Some(path)) => Some(Format::Grammar(read(path)?)),
            _ => None,
        })
    }
}
