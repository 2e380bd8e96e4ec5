//! From texts to the ids that an encoder reads.

use crate::error::{Result, bail};
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// Makes ids of texts, each with what the model expects around it.
pub struct Encoding<'a> {
    tokenizer: &'a Tokenizer,
    prefix: &'a str,
    /// What stands after a text: `[SEP]`.
    tail: Vec<u32>,
    n_ctx: usize,
    truncate: bool,
}

impl<'a> Encoding<'a> {
    /// `prefix` comes before each text, a text has up to `n_ctx` tokens.
    pub fn new(tokenizer: &'a Tokenizer, prefix: &'a str, n_ctx: u32, truncate: bool) -> Self {
        let around = tokenizer.encode("", EncodeOptions { add_special: true, parse_special: false });
        let n_head = usize::from(tokenizer.adds_bos()).min(around.len());
        Encoding { tokenizer, prefix, tail: around[n_head..].to_vec(), n_ctx: n_ctx as usize, truncate }
    }

    /// The ids of text number `i`. What spells a control token in it is letters.
    ///
    /// # Errors
    /// `ContextOverflow` where it has too many tokens and may not be cut.
    pub fn ids(&self, i: usize, text: &str) -> Result<Vec<u32>> {
        let options = EncodeOptions { add_special: true, parse_special: false };
        let mut ids = match self.prefix {
            "" => self.tokenizer.encode(text, options),
            prefix => self.tokenizer.encode(&format!("{prefix}{text}"), options),
        };
        if ids.len() > self.n_ctx {
            if !self.truncate {
                bail!(
                    ContextOverflow,
                    "text {i} has {} tokens, {} are allowed: cut it into parts, or set truncate",
                    ids.len(),
                    self.n_ctx
                );
            }
            ids.truncate(self.n_ctx.saturating_sub(self.tail.len()));
            ids.extend(&self.tail);
        }
        Ok(ids)
    }
}

/// # Errors
/// `InvalidArgument` naming the first text in which there is nothing but white space.
pub fn check_empty<T: AsRef<str>>(texts: &[T]) -> Result<()> {
    match texts.iter().position(|text| text.as_ref().trim().is_empty()) {
        Some(i) => bail!(InvalidArgument, "text {i} of {} is empty", texts.len()),
        None => Ok(()),
    }
}
