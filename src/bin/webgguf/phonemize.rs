//! `webgguf phonemize`.

use std::io::{Write, stdout};

use clap::Args;
use serde_json::{Value, json};
use webgguf::speech::phonemes::{Phonemized, Phonemizer, Source};

use crate::Failure;
use crate::source::dictionary;

/// Write the phonemes of a text, as a voice for American English reads them.
#[derive(Args)]
pub struct Phonemize {
    /// The text
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// The dictionary, which `scripts/speech/dictionary.py` makes, or its URL
    #[arg(long, default_value = "models/speech-en-us.dict")]
    dictionary: String,
    /// Write an object with the phonemes, each word and where its phonemes are from, and what could not be said
    #[arg(long)]
    json: bool,
}

impl Phonemize {
    pub fn run(&self) -> Result<(), Failure> {
        let dictionary = dictionary(&self.dictionary)?;
        let said = Phonemizer::new(&dictionary).phonemize(&self.text);
        match self.json {
            true => writeln!(stdout(), "{}", serde_json::to_string_pretty(&self.object(&said))?)?,
            false => {
                writeln!(stdout(), "{}", said.phonemes)?;
                for range in said.dropped {
                    eprintln!("not said: '{}'", &self.text[range]);
                }
            }
        }
        Ok(())
    }

    fn object(&self, said: &Phonemized) -> Value {
        let words = said.words.iter().map(|word| {
            let source = match word.source {
                Source::Dictionary => "dictionary",
                Source::Derived => "derived",
                Source::LetterToSound => "letter-to-sound",
                Source::Spelled => "spelled",
            };
            let text = &self.text[word.range.clone()];
            json!({ "text": text, "spoken": word.spoken, "phonemes": word.phonemes, "source": source })
        });
        let dropped = said.dropped.iter().map(|range| &self.text[range.clone()]);
        json!({
            "phonemes": said.phonemes,
            "words": words.collect::<Vec<_>>(),
            "dropped": dropped.collect::<Vec<_>>(),
        })
    }
}
