//! How long a text takes to become phonemes: `cargo bench --features speech --bench phonemize -- TEXT`

use std::time::Instant;

use webgguf::speech::phonemes::{Dictionary, Phonemizer, Source};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().skip(1).find(|arg| !arg.starts_with("--")).ok_or("usage: phonemize TEXT")?;
    let text = std::fs::read_to_string(file)?;
    let bytes = std::fs::read("models/speech-en-us.dict")?;
    let start = Instant::now();
    let dictionary = Dictionary::from_bytes(&bytes)?;
    println!("load {} words: {:.1} ms", dictionary.n_words(), start.elapsed().as_secs_f64() * 1e3);

    let phonemizer = Phonemizer::new(&dictionary);
    let start = Instant::now();
    let said = phonemizer.phonemize(&text);
    let seconds = start.elapsed().as_secs_f64();
    println!("phonemize {} bytes: {:.2} MB/s", text.len(), text.len() as f64 / 1e6 / seconds);
    let start = Instant::now();
    let sentences = phonemizer.sentences(&text);
    let seconds = start.elapsed().as_secs_f64();
    println!("{} sentences: {:.2} MB/s", sentences.len(), text.len() as f64 / 1e6 / seconds);
    for source in [Source::Dictionary, Source::Derived, Source::LetterToSound, Source::Spelled] {
        println!("{source:?}: {} words", said.words.iter().filter(|word| word.source == source).count());
    }
    println!("{} places not said", said.dropped.len());
    Ok(())
}
