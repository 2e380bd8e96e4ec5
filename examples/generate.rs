//! The crate as a library: load a GGUF file onto this machine's GPU, print text as it is generated.
//!
//! `cargo run --release --example generate -- www/models/embedded.gguf "The Emperor"`

use std::io::{Write, stdout};

use webgguf::llm::{GenerateOptions, LoadOptions, Session};
use webgguf::source::FileSource;

async fn generate(file: &str, prompt: &str) -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::load(&FileSource::open(file)?, &LoadOptions::default(), &()).await?;
    let options = GenerateOptions { max_tokens: 100, ..GenerateOptions::default() };
    let mut generation = session.generate(0, &session.text.prompt_ids(prompt), options).await?;
    print!("{prompt}");
    while let Some(text) = generation.next().await? {
        print!("{text}");
        stdout().flush()?;
    }
    println!();
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, prompt] = args.as_slice() else { return Err("usage: generate FILE.gguf PROMPT".into()) };
    pollster::block_on(generate(file, prompt))
}
