//! The normalization that a SentencePiece model brings along (`precompiled_charsmap`): replacements for
//! prefixes of the text, in a double-array trie of the Darts-clone library and a list of strings
//! (google/sentencepiece, `src/normalizer.cc`; s-yata/darts-clone, `include/darts.h`).

use crate::error::{Result, bail};

#[derive(Debug, Default)]
pub(super) struct Charsmap {
    /// The units of the double array.
    units: Vec<u32>,
    /// The replacements, each ended by a zero.
    strings: Vec<u8>,
}

/// A unit of the double array.
#[derive(Clone, Copy)]
struct Unit(u32);

impl Unit {
    /// The byte that leads here; a unit with a value has bit 31 set and so matches no byte.
    fn label(self) -> u32 {
        self.0 & (1 << 31 | 0xff)
    }

    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 != 0
    }

    fn offset(self) -> u32 {
        (self.0 >> 10) << ((self.0 & 1 << 9) >> 6)
    }

    fn value(self) -> u32 {
        self.0 & !(1 << 31)
    }
}

impl Charsmap {
    /// The blob: the trie's length in bytes (u32), the trie, the strings.
    ///
    /// # Errors
    /// `UnsupportedTokenizer` where the lengths do not fit.
    pub fn parse(blob: &[u8]) -> Result<Charsmap> {
        if blob.is_empty() {
            return Ok(Charsmap::default());
        }
        let split = blob.split_first_chunk::<4>().and_then(|(len, rest)| {
            let len = u32::from_le_bytes(*len) as usize;
            rest.split_at_checked(len).filter(|_| len.is_multiple_of(4))
        });
        let Some((trie, strings)) = split else {
            bail!(
                UnsupportedTokenizer,
                "metadata 'tokenizer.ggml.precompiled_charsmap' of {} bytes is cut short",
                blob.len()
            );
        };
        let units = trie.as_chunks::<4>().0.iter().map(|&unit| u32::from_le_bytes(unit)).collect();
        Ok(Charsmap { units, strings: strings.to_vec() })
    }

    fn unit(&self, i: u32) -> Option<Unit> {
        self.units.get(i as usize).copied().map(Unit)
    }

    /// The longest prefix of `text` that is replaced: its length and what replaces it.
    pub fn longest(&self, text: &[u8]) -> Option<(usize, &[u8])> {
        let mut found = None;
        let mut at = self.unit(0)?.offset();
        for (i, &byte) in text.iter().enumerate() {
            // No key has a zero byte.
            at ^= u32::from(byte);
            match self.unit(at) {
                Some(unit) if byte != 0 && unit.label() == u32::from(byte) => {
                    at ^= unit.offset();
                    if unit.has_leaf() {
                        found = Some((i + 1, self.unit(at)?.value()));
                    }
                }
                _ => break,
            }
        }
        let (len, start) = found?;
        let string = self.strings.get(start as usize..)?;
        let end = string.iter().position(|&byte| byte == 0)?;
        Some((len, &string[..end]))
    }
}
