//! How long tokenizing takes: `cargo bench --bench tokenize -- VOCAB.gguf [TEXT]`
//!
//! Without a text, 1 MB of one letter, of spaces and of newlines: what a quadratic path would show on.

use std::time::Instant;

use webgguf::formats::gguf::{Parsed, parse};
use webgguf::tokenizer::{DecodeOptions, EncodeOptions, Tokenizer};

const N_BYTES: usize = 1_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let vocab = args.next().ok_or("usage: tokenize VOCAB.gguf [TEXT]")?;
    let head = std::fs::read(vocab)?;
    let len = head.len() as u64;
    let Parsed::Done { gguf, .. } = parse(head, Some(len))? else {
        return Err("the header is cut short".into());
    };

    let start = Instant::now();
    let tokenizer = Tokenizer::from_gguf(&gguf.metadata)?;
    println!("load {} tokens: {:.1} ms", tokenizer.n_vocab(), start.elapsed().as_secs_f64() * 1e3);

    let texts = match args.next() {
        Some(path) => {
            let mut text = std::fs::read_to_string(path)?;
            text.truncate(text.floor_char_boundary(N_BYTES));
            vec![("text", text)]
        }
        None => [("letters", "a"), ("spaces", " "), ("newlines", "\n"), ("digits", "1"), ("han", "中")]
            .map(|(name, unit)| (name, unit.repeat(N_BYTES / unit.len())))
            .to_vec(),
    };
    for (name, text) in texts {
        let start = Instant::now();
        let ids = tokenizer.encode(&text, EncodeOptions::default());
        let encode_ms = start.elapsed().as_secs_f64() * 1e3;
        let start = Instant::now();
        let decoded = tokenizer.decode(&ids, DecodeOptions::default());
        let decode_ms = start.elapsed().as_secs_f64() * 1e3;
        println!(
            "{name}: {} bytes, {} tokens, encode {encode_ms:.1} ms, decode {decode_ms:.1} ms{}",
            text.len(),
            ids.len(),
            if decoded == text { "" } else { ", not lossless" }
        );
    }
    Ok(())
}
