//! Byte-pair encoding with ranked merges (Sennrich, Haddow, Birch 2016, <https://arxiv.org/abs/1508.07909>), over
//! bytes as in GPT-2 or over characters with bytes to fall back to.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::merges::Merges;
use super::pretokenize::{PreTokenizer, Rules};
use super::vocab::Vocab;

#[derive(Debug)]
pub(super) struct Bpe {
    pub pre: PreTokenizer,
    pub merges: Merges,
    /// The tokens of single bytes, where there are such.
    pub byte_ids: Box<[Option<u32>; 256]>,
    pub ignore_merges: bool,
    /// Text starts as bytes; otherwise as characters, those without a token as bytes.
    pub byte_level: bool,
    /// A run of newlines that is a token is that token, as no merge may make it.
    pub newline_runs: bool,
}

/// A token in the making, linked with its neighbours.
#[derive(Clone, Copy)]
struct Symbol {
    id: u32,
    prev: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

/// What merging a piece needs, kept from piece to piece.
#[derive(Default)]
struct Workspace {
    symbols: Vec<Symbol>,
    /// Possible merges as rank and left symbol: the smallest is the next to apply.
    queue: BinaryHeap<Reverse<u64>>,
}

impl Bpe {
    pub fn new(rules: &Rules, merges: Merges, byte_ids: Box<[Option<u32>; 256]>) -> Bpe {
        Bpe {
            pre: PreTokenizer::new(rules.splits),
            merges,
            byte_ids,
            ignore_merges: rules.ignore_merges,
            byte_level: rules.byte_level,
            newline_runs: rules.newline_runs,
        }
    }

    pub fn encode(&self, text: &str, vocab: &Vocab, out: &mut Vec<u32>) {
        let mut work = Workspace::default();
        self.pre.split(text, &mut |piece| {
            let whole = self.ignore_merges || self.newline_runs && piece.starts_with('\n');
            match vocab.find(piece.as_bytes()) {
                Some(id) if whole => out.push(id),
                _ => self.encode_piece(piece, vocab, &mut work, out),
            }
        });
    }

    fn encode_piece(&self, piece: &str, vocab: &Vocab, work: &mut Workspace, out: &mut Vec<u32>) {
        work.symbols.clear();
        let mut push = |id: Option<u32>| {
            let i = work.symbols.len() as u32;
            // A byte without a token is left out, as there is nothing it could become.
            if let Some(id) = id {
                work.symbols.push(Symbol { id, prev: i.wrapping_sub(1), next: i + 1 });
            }
        };
        if self.byte_level {
            piece.bytes().for_each(|byte| push(self.byte_ids[usize::from(byte)]));
        } else {
            for c in piece.chars() {
                let mut utf8 = [0; 4];
                let utf8 = c.encode_utf8(&mut utf8).as_bytes();
                match vocab.find(utf8) {
                    Some(id) => push(Some(id)),
                    None => utf8.iter().for_each(|&byte| push(self.byte_ids[usize::from(byte)])),
                }
            }
        }
        if let Some(last) = work.symbols.last_mut() {
            last.next = NONE;
            work.merge_all(&self.merges);
            work.emit(out);
        }
    }
}

impl Workspace {
    fn merge_all(&mut self, merges: &Merges) {
        for left in 0..self.symbols.len() as u32 - 1 {
            self.offer(merges, left);
        }
        while let Some(Reverse(entry)) = self.queue.pop() {
            let (rank, left) = ((entry >> 32) as u32, entry as u32);
            let merge = merges.get(rank);
            let symbol = self.symbols[left as usize];
            // What the entry was made for may have been merged away since.
            if symbol.id != merge.left || symbol.next == NONE {
                continue;
            }
            let right = self.symbols[symbol.next as usize];
            if right.id != merge.right {
                continue;
            }
            self.symbols[symbol.next as usize].id = NONE;
            self.symbols[left as usize] = Symbol { id: merge.merged, next: right.next, ..symbol };
            if right.next != NONE {
                self.symbols[right.next as usize].prev = left;
            }
            self.offer(merges, left);
            if symbol.prev != NONE {
                self.offer(merges, symbol.prev);
            }
        }
    }

    /// Queues the merge of the symbol and the one after it, if there is such a merge.
    fn offer(&mut self, merges: &Merges, left: u32) {
        let symbol = self.symbols[left as usize];
        if symbol.next == NONE {
            return;
        }
        if let Some(rank) = merges.rank(symbol.id, self.symbols[symbol.next as usize].id) {
            self.queue.push(Reverse(u64::from(rank) << 32 | u64::from(left)));
        }
    }

    fn emit(&self, out: &mut Vec<u32>) {
        let mut i = 0;
        while i != NONE {
            let symbol = self.symbols[i as usize];
            out.push(symbol.id);
            i = symbol.next;
        }
    }
}
