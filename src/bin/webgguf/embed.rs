//! `webgguf embed`.

use std::io::{Write, stdin, stdout};

use clap::Args;
use serde_json::json;
use webgguf::clock::Clock;
use webgguf::encoder::{EmbedOptions, Embedder, Prefix};

use crate::Failure;
use crate::source::Source;

/// Make a vector of each text, with an encoder. A line is a vector, as a JSON array.
#[derive(Args)]
pub struct Embed {
    /// A GGUF file or its URL
    model: String,
    /// The texts; without any, each line of the input is one
    texts: Vec<String>,
    /// What comes before each text: `query` or `document` for what the model wants there, or the text itself
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    prefix: String,
    /// The first elements of each vector alone
    #[arg(long)]
    dimensions: Option<u32>,
    /// Leave vectors at their length
    #[arg(long)]
    no_normalize: bool,
    /// Cut texts that are too long
    #[arg(long)]
    truncate: bool,
    /// The most tokens that a text can have [default: as many as the model allows]
    #[arg(long)]
    context: Option<u32>,
    /// Write an object with the vectors, the model and times
    #[arg(long)]
    json: bool,
}

impl Embed {
    pub fn run(&self) -> Result<(), Failure> {
        let texts: Vec<String> = match self.texts.is_empty() {
            false => self.texts.clone(),
            true => stdin().lines().collect::<Result<_, _>>()?,
        };
        let options = EmbedOptions {
            dimensions: self.dimensions,
            normalize: !self.no_normalize,
            prefix: Prefix::of(&self.prefix),
            truncate: self.truncate,
        };
        let source = Source::open(&self.model)?;
        let embedder = pollster::block_on(Embedder::load(&source, self.context, &()))?;
        for warning in &embedder.info.warnings {
            eprintln!("webgguf: warning: {warning}");
        }
        let clock = Clock::start();
        let vectors = pollster::block_on(embedder.embed(&texts, &options, &()))?;
        let ms = clock.ms();
        let rows: Vec<&[f32]> = (0..texts.len()).map(|i| vectors.row(i)).collect();
        match self.json {
            true => {
                let json = json!({
                    "vectors": rows,
                    "dimensions": vectors.dimensions,
                    "tokens": vectors.n_tokens,
                    "embedMs": ms,
                    "model": embedder.info,
                });
                writeln!(stdout(), "{json}")?;
            }
            false => {
                for row in rows {
                    writeln!(stdout(), "{}", serde_json::to_string(row)?)?;
                }
            }
        }
        Ok(())
    }
}
