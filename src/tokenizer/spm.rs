//! SentencePiece BPE: neighbours merge whenever their text is a token, the token of the highest score first
//! (Kudo, Richardson 2018, <https://arxiv.org/abs/1808.06226>).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::vocab::Vocab;

#[derive(Debug)]
pub(super) struct Spm {
    pub scores: Vec<f32>,
    /// The tokens `<0x00>` to `<0xFF>`, where there are such.
    pub byte_ids: Box<[Option<u32>; 256]>,
    pub unknown: Option<u32>,
    /// The length of the longest token that text can become: what is longer need not be looked up.
    pub max_token_bytes: usize,
    /// No token goes on with a space after something else: nothing merges across the beginning of a word, so words can
    /// be merged one by one, in a small queue.
    pub by_words: bool,
}

/// A stretch of the text, linked with its neighbours.
#[derive(Clone, Copy)]
struct Symbol {
    start: u32,
    n_bytes: u32,
    prev: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

/// A possible merge: the score turned so that the highest is the smallest, and the left symbol; then the length
/// of the result, by which an entry is known to be out of date.
type Entry = Reverse<(u64, u32)>;

/// Maps scores to numbers that sort the other way round.
fn descending(score: f32) -> u32 {
    // Both zeros are one.
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { !(bits | 1 << 31) } else { bits }
}

struct Merging<'a> {
    spm: &'a Spm,
    vocab: &'a Vocab,
    text: &'a [u8],
    symbols: Vec<Symbol>,
    queue: BinaryHeap<Entry>,
}

impl Spm {
    /// Spaces are spaces here, in the text as in the tokens: `▁` is what a file writes for them.
    pub fn encode(&self, text: &str, vocab: &Vocab, out: &mut Vec<u32>) {
        let mut merging = Merging { spm: self, vocab, text: &[], symbols: Vec::new(), queue: BinaryHeap::new() };
        let mut rest = text;
        while !rest.is_empty() {
            let end = if self.by_words { end_of_word(rest.as_bytes()) } else { rest.len() };
            merging.encode(&rest[..end], out);
            rest = &rest[end..];
        }
    }
}

/// Whether a token has a space after something else.
pub(super) fn has_inner_space(token: &[u8]) -> bool {
    end_of_word(token) < token.len()
}

/// Where the spaces at the start, and what follows up to the next space, end.
fn end_of_word(text: &[u8]) -> usize {
    text.windows(2).position(|pair| pair[0] != b' ' && pair[1] == b' ').map_or(text.len(), |at| at + 1)
}

impl<'a> Merging<'a> {
    fn encode(&mut self, text: &'a str, out: &mut Vec<u32>) {
        self.text = text.as_bytes();
        self.symbols.clear();
        for (i, (start, c)) in text.char_indices().enumerate() {
            let (i, start, n_bytes) = (i as u32, start as u32, c.len_utf8() as u32);
            self.symbols.push(Symbol { start, n_bytes, prev: i.wrapping_sub(1), next: i + 1 });
        }
        let Some(last) = self.symbols.last_mut() else { return };
        last.next = NONE;
        self.merge_all();
        self.emit(out);
    }

    fn text_of(&self, symbol: Symbol) -> &[u8] {
        &self.text[symbol.start as usize..][..symbol.n_bytes as usize]
    }

    fn merge_all(&mut self) {
        for left in 0..self.symbols.len() as u32 - 1 {
            self.offer(left);
        }
        while let Some(Reverse((key, n_bytes))) = self.queue.pop() {
            let left = key as u32;
            let symbol = self.symbols[left as usize];
            if symbol.n_bytes == 0 || symbol.next == NONE {
                continue;
            }
            let right = self.symbols[symbol.next as usize];
            if symbol.n_bytes + right.n_bytes != n_bytes {
                continue;
            }
            self.symbols[symbol.next as usize].n_bytes = 0;
            self.symbols[left as usize] = Symbol { n_bytes, next: right.next, ..symbol };
            if right.next != NONE {
                self.symbols[right.next as usize].prev = left;
            }
            if symbol.prev != NONE {
                self.offer(symbol.prev);
            }
            self.offer(left);
        }
    }

    /// Queues the merge of the symbol and the one after it, if that makes a token.
    fn offer(&mut self, left: u32) {
        let symbol = self.symbols[left as usize];
        if symbol.next == NONE {
            return;
        }
        let n_bytes = symbol.n_bytes + self.symbols[symbol.next as usize].n_bytes;
        if n_bytes as usize > self.spm.max_token_bytes {
            return;
        }
        if let Some(id) = self.vocab.find(self.text_of(Symbol { n_bytes, ..symbol })) {
            let score = self.spm.scores.get(id as usize).copied().unwrap_or(0.0);
            self.queue.push(Reverse((u64::from(descending(score)) << 32 | u64::from(left), n_bytes)));
        }
    }

    fn emit(&self, out: &mut Vec<u32>) {
        let mut i = 0;
        while i != NONE {
            let symbol = self.symbols[i as usize];
            let text = self.text_of(symbol);
            match self.vocab.find(text) {
                Some(id) => out.push(id),
                None => {
                    let byte_id = |&byte: &u8| self.spm.byte_ids[usize::from(byte)].or(self.spm.unknown);
                    out.extend(text.iter().filter_map(byte_id));
                }
            }
            i = symbol.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_start_with_their_spaces() {
        let ends: Vec<usize> =
            ["", " ", "a", " a b", "a  b", "  ", " \n x"].map(|text| end_of_word(text.as_bytes())).to_vec();
        assert_eq!(ends, [0, 1, 1, 2, 1, 2, 2]);
        assert!(has_inner_space(b"a b") && has_inner_space(b" a ") && !has_inner_space(b"  a"));
    }

    #[test]
    fn higher_scores_come_first() {
        let scores = [f32::INFINITY, 2.0, 0.0, -0.0, -1.0, -1e9, f32::NEG_INFINITY];
        assert!(scores.windows(2).all(|pair| descending(pair[0]) <= descending(pair[1])));
        assert_eq!(descending(0.0), descending(-0.0));
    }
}
