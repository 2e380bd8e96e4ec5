//! The tokens that may come next, as bits. A term is taken apart, so that little is looked at twice: what a part allows by
//! itself is kept, and only tokens that leave a part are looked at with what follows it.

use std::rc::Rc;

use super::by_id::ById;
use super::term::{EMPTY, Id, MANY, NOTHING, Term, Terms};
use super::trie::{NO_TOKEN, Trie};

/// Bytes of what is kept; then all of it is dropped.
const MAX_KEPT_BYTES: usize = 48 << 20;
/// A part that can begin with this many bytes or more is counted in advance, see [`Counted`].
const WIDE: usize = 64;
/// States that are looked at to see whether a term is a prefix code.
const MAX_CODE_STATES: usize = 300;

/// What a part of a term allows by itself.
struct Inside {
    /// Tokens that the part can begin with.
    tokens: Vec<u32>,
    /// Nodes of the trie where the part may be over.
    exits: Vec<u32>,
}

/// Of a repetition whose parts tell where they end, such as characters: how many parts each token has. What one of any
/// number allows follows from it.
struct Counted {
    /// Bits of the tokens that consist of parts, the last of which may be cut.
    all: Vec<u32>,
    /// The same tokens, those with the fewest parts first, and where those with `n` parts begin.
    sorted: Vec<u32>,
    starts: Vec<u32>,
    /// Of each node how many parts it ends, or [`WITHIN`].
    ended: Vec<u8>,
}

const WITHIN: u8 = 255;

/// Masks of the terms met so far.
#[derive(Default)]
pub struct Masks {
    whole: ById<Rc<[u32]>>,
    inside: ById<Rc<Inside>>,
    counted: ById<Option<Rc<Counted>>>,
    kept_bytes: usize,
}

fn set(mask: &mut [u32], token: u32) {
    mask[token as usize / 32] |= 1 << (token % 32);
}

impl Masks {
    /// The tokens that may come next: a bit each, 32 to a word.
    pub fn of(&mut self, t: &mut Terms, trie: &Trie, id: Id) -> Rc<[u32]> {
        if let Some(mask) = self.whole.get(id) {
            return mask.clone();
        }
        if self.kept_bytes > MAX_KEPT_BYTES {
            *self = Masks::default();
        }
        let mut mask = vec![0; trie.n_words()];
        self.add(t, trie, id, &mut mask);
        trie.complete(&mut mask);
        let mask: Rc<[u32]> = mask.into();
        self.kept_bytes += mask.len() * 4;
        self.whole.insert(id, mask.clone());
        mask
    }

    fn add(&mut self, t: &mut Terms, trie: &Trie, id: Id, mask: &mut [u32]) {
        let (head, tail) = match t.get(id).clone() {
            Term::Alt(parts) => {
                return parts.iter().for_each(|&part| self.add(t, trie, part, mask));
            }
            Term::Cat(head, tail) => (head, tail),
            _ => (id, EMPTY),
        };
        if let Term::Repeat(part, least, most) = *t.get(head)
            && let Some(counted) = self.counted(t, trie, part)
        {
            return counted.add(t, trie, (least, most), tail, mask);
        }
        let inside = self.inside(t, trie, head);
        inside.tokens.iter().for_each(|&token| set(mask, token));
        if tail != EMPTY {
            inside.exits.iter().for_each(|&node| add_below(t, trie, node, tail, mask));
        }
    }

    fn inside(&mut self, t: &mut Terms, trie: &Trie, head: Id) -> Rc<Inside> {
        if let Some(inside) = self.inside.get(head) {
            return inside.clone();
        }
        let mut inside = Inside { tokens: Vec::new(), exits: Vec::new() };
        if t.ends(head) {
            inside.exits.push(0);
        }
        trie.walk(0, head, |state, byte, node, token| {
            let next = t.step(state, byte);
            if next == NOTHING {
                return None;
            }
            if token != NO_TOKEN {
                inside.tokens.push(token);
            }
            if t.ends(next) {
                inside.exits.push(node);
            }
            Some(next)
        });
        self.kept_bytes += (inside.tokens.len() + inside.exits.len()) * 4;
        let inside = Rc::new(inside);
        self.inside.insert(head, inside.clone());
        inside
    }

    /// The counts of a repetition of `part`, if it is worth it and its parts tell where they end.
    fn counted(&mut self, t: &mut Terms, trie: &Trie, part: Id) -> Option<Rc<Counted>> {
        if let Some(counted) = self.counted.get(part) {
            return counted.clone();
        }
        let n_first = (0..=255).filter(|&byte| t.step(part, byte) != NOTHING).count();
        let counted = (n_first >= WIDE && is_prefix_code(t, part)).then(|| Rc::new(Counted::new(t, trie, part)));
        if let Some(counted) = &counted {
            self.kept_bytes += counted.ended.len() + (counted.all.len() + counted.sorted.len()) * 4;
        }
        self.counted.insert(part, counted.clone());
        counted
    }
}

/// Add the tokens that have what is below a node for a text of `tail`.
fn add_below(t: &mut Terms, trie: &Trie, node: u32, tail: Id, mask: &mut [u32]) {
    trie.walk(node, tail, |state, byte, _, token| {
        let next = t.step(state, byte);
        if next == NOTHING {
            return None;
        }
        if token != NO_TOKEN {
            set(mask, token);
        }
        Some(next)
    });
}

/// Whether no text of a term is the beginning of another: it is seen where one is over.
fn is_prefix_code(t: &mut Terms, part: Id) -> bool {
    if t.ends(part) {
        return false;
    }
    let mut seen = vec![part];
    let mut at = 0;
    while let Some(&state) = seen.get(at) {
        at += 1;
        for byte in t.classes().to_vec() {
            let next = t.step(state, byte);
            if next == NOTHING || next == EMPTY || seen.contains(&next) {
                continue;
            }
            if t.ends(next) || seen.len() == MAX_CODE_STATES {
                return false;
            }
            seen.push(next);
        }
    }
    true
}

impl Counted {
    fn new(t: &mut Terms, trie: &Trie, part: Id) -> Counted {
        let mut all = vec![0; trie.n_words()];
        let mut by_count: Vec<Vec<u32>> = Vec::new();
        let mut ended = vec![WITHIN; trie.n_nodes()];
        ended[0] = 0;
        // The state within a part, and the parts that are over.
        trie.walk(0, (part, 0u8), |(state, n), byte, node, token| {
            let next = t.step(state, byte);
            if next == NOTHING {
                return None;
            }
            let (next, n_ended) = if next == EMPTY { (part, n + 1) } else { (next, n) };
            if next == part {
                ended[node as usize] = n_ended;
            }
            if token != NO_TOKEN {
                let n_begun = usize::from(n) + 1;
                if by_count.len() <= n_begun {
                    by_count.resize_with(n_begun + 1, Vec::new);
                }
                by_count[n_begun].push(token);
                set(&mut all, token);
            }
            Some((next, n_ended))
        });
        let mut starts = vec![0];
        for tokens in &by_count {
            starts.push(starts[starts.len() - 1] + tokens.len() as u32);
        }
        Counted { all, sorted: by_count.concat(), starts, ended }
    }

    /// Add what `least` to `most` parts and then `tail` allow.
    fn add(&self, t: &mut Terms, trie: &Trie, (least, most): (u32, u32), tail: Id, mask: &mut [u32]) {
        let n_counts = self.starts.len() as u32 - 1;
        let n_few = self.starts[most.saturating_add(1).min(n_counts) as usize] as usize;
        let (few, many) = self.sorted.split_at(n_few);
        if few.len() < many.len() {
            few.iter().for_each(|&token| set(mask, token));
        } else {
            let mut all = self.all.clone();
            many.iter().for_each(|&token| all[token as usize / 32] &= !(1 << (token % 32)));
            mask.iter_mut().zip(all).for_each(|(word, all)| *word |= all);
        }
        if tail == EMPTY {
            return;
        }
        for byte in 0..=255 {
            let next = t.step(tail, byte);
            if next == NOTHING {
                continue;
            }
            for &node in trie.nodes_by(byte) {
                let n = self.ended[trie.parent(node) as usize];
                if n == WITHIN || u32::from(n) < least || most != MANY && u32::from(n) > most {
                    continue;
                }
                if trie.token(node) != NO_TOKEN {
                    set(mask, trie.token(node));
                }
                add_below(t, trie, node, next, mask);
            }
        }
    }
}
