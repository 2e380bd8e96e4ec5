//! `webgguf tokenize` and `webgguf detokenize`.

use std::io::{Read, Write, stdin, stdout};

use clap::Args;
use webgguf::tokenizer::{DecodeOptions, EncodeOptions};

use crate::{Failure, source};

/// Read a text and write the ids of its tokens.
#[derive(Args)]
pub struct Tokenize {
    /// A GGUF file or its URL
    file: String,
    /// Take text that spells a control token for that token, and add BOS and EOS as the file says
    #[arg(long)]
    special: bool,
    /// Write a JSON array
    #[arg(long)]
    json: bool,
}

impl Tokenize {
    pub fn run(&self) -> Result<(), Failure> {
        let tokenizer = source::tokenizer(&self.file)?;
        let mut text = String::new();
        stdin().read_to_string(&mut text)?;
        let ids = tokenizer.encode(&text, EncodeOptions { add_special: self.special, parse_special: self.special });
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        match self.json {
            true => writeln!(stdout(), "[{}]", ids.join(","))?,
            false => writeln!(stdout(), "{}", ids.join(" "))?,
        }
        Ok(())
    }
}

/// Read ids and write their text. Anything but digits separates ids: the output of `tokenize` and JSON arrays will do.
#[derive(Args)]
pub struct Detokenize {
    /// A GGUF file or its URL
    file: String,
    /// Show control tokens
    #[arg(long)]
    special: bool,
}

impl Detokenize {
    pub fn run(&self) -> Result<(), Failure> {
        let tokenizer = source::tokenizer(&self.file)?;
        let mut text = String::new();
        stdin().read_to_string(&mut text)?;
        let mut ids = Vec::new();
        for number in text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()) {
            let id: Option<u32> = number.parse().ok().filter(|&id| id < tokenizer.n_vocab());
            ids.push(id.ok_or_else(|| format!("there is no token {number}, ids go to {}", tokenizer.n_vocab() - 1))?);
        }
        let options = DecodeOptions { show_special: self.special, ..DecodeOptions::default() };
        stdout().write_all(tokenizer.decode(&ids, options).as_bytes())?;
        Ok(())
    }
}
