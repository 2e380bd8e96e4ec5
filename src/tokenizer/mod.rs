//! Text to token ids and back, and chat templates.
//!
//! What a model reads has to be exactly what it was trained with, so every rule here is that of the tokenizer
//! the model was made with (SentencePiece, Hugging Face tokenizers); GGUF's own conventions are llama.cpp's.

mod agreement;
mod bpe;
mod byte_level;
mod charsmap;
#[cfg(feature = "templates")]
pub mod chat;
mod detokenizer;
mod index;
mod load;
mod merges;
mod prefixes;
mod pretokenize;
mod prompt;
mod special;
mod spm;
mod text;
pub(crate) mod unicode;
mod unigram;
mod vocab;
mod wordpiece;

use std::borrow::Cow;

use bpe::Bpe;
pub use detokenizer::{DecodeOptions, Detokenizer};
pub use prompt::{Prompt, Ranges};
pub use special::SpecialIds;
use special::{Fragment, SpecialMatcher};
use spm::Spm;
pub use text::Text;
use unigram::Unigram;
use vocab::{Kind, Vocab};
use wordpiece::WordPiece;

/// How `encode` treats special tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Add what the model expects around a text: BOS, EOS, `[CLS]` and `[SEP]`, as the file says.
    pub add_special: bool,
    /// Take text that spells a control token, such as `<|im_end|>`, for that token. Right for a rendered chat
    /// template, wrong for text of unknown origin.
    pub parse_special: bool,
}

/// A tokenizer, made from the metadata of a GGUF file.
#[derive(Debug)]
pub struct Tokenizer {
    vocab: Vocab,
    algorithm: Algorithm,
    specials: SpecialMatcher,
    ids: SpecialIds,
    /// The tokens that end the generation, sorted.
    ending: Vec<u32>,
    adds_bos: bool,
    adds_eos: bool,
    adds_separator: bool,
    /// A text starts with a space that is not in it (`add_dummy_prefix` in SentencePiece).
    space_prefix: bool,
    warnings: Vec<String>,
}

/// How text becomes tokens: `tokenizer.ggml.model`.
#[derive(Debug)]
enum Algorithm {
    /// `gpt2`, `gemma4`
    Bpe(Box<Bpe>),
    /// `llama`
    Spm(Spm),
    /// `bert`
    WordPiece(WordPiece),
    /// `t5`
    Unigram(Box<Unigram>),
}

impl Tokenizer {
    /// The ids of a text.
    #[must_use]
    pub fn encode(&self, text: &str, options: EncodeOptions) -> Vec<u32> {
        let mut out = Vec::new();
        if options.add_special && self.adds_bos {
            out.extend(self.ids.bos);
        }
        let is_text = |id| self.vocab.kind(id) == Some(Kind::UserDefined);
        self.encode_into(text, |id, _| options.parse_special || is_text(id), &mut out);
        if options.add_special && self.adds_eos {
            out.extend(self.ids.eos);
        }
        if options.add_special && self.adds_separator {
            out.extend(self.ids.separator);
        }
        out
    }

    /// The ids of a prompt from byte `from` on, where a special token stands or the prompt begins. Special tokens are read
    /// where the template wrote them; what came with the messages is text, whatever it spells.
    #[must_use]
    pub fn encode_prompt(&self, prompt: &Prompt, from: usize) -> Vec<u32> {
        let mut out = Vec::new();
        self.encode_into(&prompt.text[from..], |id, at| self.reads(prompt, from + at, id), &mut out);
        out
    }

    fn encode_into(&self, text: &str, reads: impl Fn(u32, usize) -> bool, out: &mut Vec<u32>) {
        let mut after_special = true;
        self.specials.split(text, &self.vocab, reads, |fragment| {
            after_special = match fragment {
                Fragment::Token(id) => {
                    out.push(id);
                    true
                }
                Fragment::Text(text) => {
                    self.encode_text(text, after_special, out);
                    false
                }
            }
        });
    }

    /// Whether the special token that a prompt spells at byte `at` is that token: it is where the template wrote it, and
    /// where the token is one for the user's own text.
    fn reads(&self, prompt: &Prompt, at: usize, id: u32) -> bool {
        let bytes = self.token_bytes(id);
        let is_text = self.vocab.kind(id) == Some(Kind::UserDefined) && !special::is_mark(bytes);
        is_text || !prompt.has_data(at..at + bytes.len())
    }

    fn encode_text(&self, text: &str, after_special: bool, out: &mut Vec<u32>) {
        match &self.algorithm {
            Algorithm::Bpe(bpe) if bpe.byte_level => bpe.encode(text, &self.vocab, out),
            Algorithm::Bpe(bpe) => bpe.encode(&plain_spaces(text), &self.vocab, out),
            Algorithm::Spm(spm) => {
                let mut text = plain_spaces(text);
                if self.space_prefix && after_special {
                    text.to_mut().insert(0, ' ');
                }
                spm.encode(&text, &self.vocab, out);
            }
            Algorithm::WordPiece(wordpiece) => wordpiece.encode(text, &self.vocab, out),
            Algorithm::Unigram(unigram) => unigram.encode(text, &self.vocab, out),
        }
    }

    /// The text of ids. Invalid UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn decode(&self, ids: &[u32], options: DecodeOptions) -> String {
        let mut detokenizer = Detokenizer::new(options);
        let mut text: String = ids.iter().map(|&id| detokenizer.push(self, id)).collect();
        text.push_str(&detokenizer.finish());
        text
    }

    /// The bytes a token stands for, which need not be whole characters; nothing where there is no such token.
    #[must_use]
    pub fn token_bytes(&self, id: u32) -> &[u8] {
        self.vocab.bytes(id)
    }

    /// The bytes of a token that may be in a text; none for one that ends it or is no text.
    #[must_use]
    pub fn text_bytes(&self, id: u32) -> &[u8] {
        if self.is_special(id) || self.is_end_of_generation(id) { &[] } else { self.token_bytes(id) }
    }

    /// The id of a token, control tokens included, by the bytes it stands for.
    #[must_use]
    pub fn token_id(&self, bytes: &[u8]) -> Option<u32> {
        self.specials.find(bytes, &self.vocab).or_else(|| self.vocab.find(bytes))
    }

    #[must_use]
    pub fn n_vocab(&self) -> u32 {
        self.vocab.len()
    }

    #[must_use]
    pub fn special_ids(&self) -> &SpecialIds {
        &self.ids
    }

    /// Whether `add_special` adds BOS.
    #[must_use]
    pub fn adds_bos(&self) -> bool {
        self.adds_bos
    }

    /// Whether the token ends the generation: EOS, the end of a turn, and well-known tokens of that sense.
    #[must_use]
    pub fn is_end_of_generation(&self, id: u32) -> bool {
        self.ending.binary_search(&id).is_ok()
    }

    /// The tokens that end the generation, sorted.
    #[must_use]
    pub fn end_of_generation(&self) -> &[u32] {
        &self.ending
    }

    /// Whether the token is no text: a control token or the unknown token.
    #[must_use]
    pub fn is_special(&self, id: u32) -> bool {
        matches!(self.vocab.kind(id), Some(Kind::Control | Kind::Unknown))
    }

    /// What is doubtful about the file's tokenizer, for its user to see.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// `▁` stands for a space in files of SentencePiece models, and so does one in a text. Here spaces are spaces.
fn plain_spaces(text: &str) -> Cow<'_, str> {
    match text.contains('▁') {
        true => text.replace('▁', " ").into(),
        false => text.into(),
    }
}
