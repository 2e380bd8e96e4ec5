//! The unigram language model of SentencePiece: the tokens of the highest total score that make up the text,
//! by the Viterbi algorithm (Kudo 2018, <https://arxiv.org/abs/1804.10959>).

use super::charsmap::Charsmap;
use super::prefixes::Prefixes;
use super::vocab::{Kind, Vocab};

/// How much less likely than the least likely token an unknown character is (`kUnkPenalty`).
const UNKNOWN_PENALTY: f32 = 10.0;

#[derive(Debug)]
pub(super) struct Unigram {
    pub prefixes: Prefixes,
    pub scores: Vec<f32>,
    /// The lowest score of a normal token.
    pub min_score: f32,
    pub charsmap: Charsmap,
    pub unknown: Option<u32>,
    /// The tokens `<0x00>` to `<0xFF>`, where there are such, spell what is unknown.
    pub byte_ids: Box<[Option<u32>; 256]>,
    pub add_space_prefix: bool,
    /// Leading and trailing spaces go, and of several in a row one stays.
    pub remove_extra_spaces: bool,
}

/// The best way to a place in the text.
#[derive(Clone, Copy)]
struct Best {
    /// Rounded as in SentencePiece, which decides between sequences of the same tokens in another order.
    score: f32,
    /// Where its last token starts.
    start: u32,
    /// Its last token; `None` for a character without one.
    id: Option<u32>,
}

impl Unigram {
    pub fn encode(&self, text: &str, vocab: &Vocab, out: &mut Vec<u32>) {
        let text = self.normalize(text);
        let unreached = Best { score: f32::NEG_INFINITY, start: 0, id: None };
        let mut best = vec![unreached; text.len() + 1];
        best[0].score = 0.0;
        for (start, c) in text.char_indices() {
            let score = best[start].score;
            let mut reach = |n_bytes: usize, id: Option<u32>, token_score: f32| {
                let way = Best { score: score + token_score, start: start as u32, id };
                // Of equals the first, which is the longest last token, stays.
                let known = &mut best[start + n_bytes];
                if way.score > known.score || known.score == f32::NEG_INFINITY {
                    *known = way;
                }
            };
            let mut has_token = false;
            for id in self.prefixes.of(&text.as_bytes()[start..], vocab) {
                let n_bytes = vocab.bytes(id).len();
                if text.is_char_boundary(start + n_bytes) {
                    has_token |= n_bytes == c.len_utf8();
                    reach(n_bytes, Some(id), self.score(id, vocab));
                }
            }
            if !has_token {
                reach(c.len_utf8(), None, self.min_score - UNKNOWN_PENALTY);
            }
        }
        self.emit(&text, &best, out);
    }

    fn score(&self, id: u32, vocab: &Vocab) -> f32 {
        match vocab.kind(id) {
            // A token matched as a whole wins over any sequence of normal ones, whose scores are negative.
            Some(Kind::UserDefined) => 0.0,
            _ => self.scores.get(id as usize).copied().unwrap_or(0.0),
        }
    }

    /// Walks the best way back from the end. Unknown characters in a row are one unknown token, or their bytes.
    fn emit(&self, text: &str, best: &[Best], out: &mut Vec<u32>) {
        let first = out.len();
        let mut end = text.len();
        let mut after_unknown = false;
        while end > 0 {
            let Best { start, id, .. } = best[end];
            let unknown = &text.as_bytes()[start as usize..end];
            match id {
                Some(id) => out.push(id),
                None if self.byte_ids.iter().any(Option::is_some) => {
                    out.extend(unknown.iter().rev().filter_map(|&byte| self.byte_ids[usize::from(byte)]));
                }
                None if after_unknown => {}
                None => out.extend(self.unknown),
            }
            after_unknown = id.is_none();
            end = start as usize;
        }
        out[first..].reverse();
    }

    /// Applies the character map and the rules for spaces (`Normalizer::Normalize`).
    fn normalize(&self, text: &str) -> String {
        let mut bytes = Vec::with_capacity(text.len() + 1);
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            match self.charsmap.longest(&text.as_bytes()[at..]) {
                // A map of a hostile file may end within a character.
                Some((len, replacement)) if text.is_char_boundary(at + len) => {
                    bytes.extend_from_slice(replacement);
                    at += len;
                }
                _ => {
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    at += c.len_utf8();
                }
            }
        }
        let mapped = String::from_utf8_lossy(&bytes);
        let mut out = String::with_capacity(mapped.len() + 1);
        let trimmed = if self.remove_extra_spaces { mapped.trim_matches(' ') } else { &mapped };
        if self.add_space_prefix && !trimmed.is_empty() {
            out.push(' ');
        }
        let mut after_space = false;
        for c in trimmed.chars() {
            if !(self.remove_extra_spaces && after_space && c == ' ') {
                // What the model takes for a space is one, but is not removed.
                out.push(if c == '▁' { ' ' } else { c });
            }
            after_space = c == ' ';
        }
        if self.remove_extra_spaces {
            out.truncate(out.trim_end_matches(' ').len());
        }
        out
    }
}
