//! The vocabulary as a tree of bytes: a token is a way from the root.

use crate::order::sort;

/// Of a node that is the end of no token.
pub const NO_TOKEN: u32 = u32::MAX;

/// Tokens longer than this are left out: each of their bytes is in others.
const MAX_TOKEN_BYTES: usize = 250;

/// A trie. Nodes are in depth-first order, so that what is below a node lies between it and its `end`. Node 0 is the root.
#[derive(Debug, Default)]
pub struct Trie {
    bytes: Vec<u8>,
    depths: Vec<u8>,
    parents: Vec<u32>,
    ends: Vec<u32>,
    tokens: Vec<u32>,
    /// Tokens of the same bytes as another, with that one.
    same: Vec<(u32, u32)>,
    /// The nodes that a byte leads to, by bytes.
    by_byte: Vec<u32>,
    by_byte_starts: Vec<u32>,
    n_tokens: u32,
}

impl Trie {
    /// Of tokens, by their bytes; those without are left out. `n_tokens` is more than the largest id.
    #[must_use]
    pub fn new<'b>(n_tokens: u32, bytes_of: impl Fn(u32) -> &'b [u8]) -> Trie {
        let is_there = |&id: &u32| (1..=MAX_TOKEN_BYTES).contains(&bytes_of(id).len());
        let mut order: Vec<u32> = (0..n_tokens).filter(is_there).collect();
        sort(&mut order, |&a, &b| bytes_of(a) < bytes_of(b));
        let mut trie = Trie { n_tokens, ..Trie::default() };
        // The nodes on the way to the last token.
        let mut way: Vec<usize> = vec![trie.push(0, 0, 0)];
        let mut before: &[u8] = &[];
        for id in order {
            let bytes = bytes_of(id);
            let common = bytes.iter().zip(before).take_while(|(a, b)| a == b).count();
            trie.close(&way[common + 1..]);
            way.truncate(common + 1);
            for (depth, &byte) in bytes.iter().enumerate().skip(common) {
                way.push(trie.push(byte, depth as u8 + 1, way[depth] as u32));
            }
            let node = way[bytes.len()];
            match trie.tokens[node] {
                NO_TOKEN => trie.tokens[node] = id,
                first => trie.same.push((first, id)),
            }
            before = bytes;
        }
        trie.close(&way);
        trie.index();
        trie
    }

    fn push(&mut self, byte: u8, depth: u8, parent: u32) -> usize {
        self.bytes.push(byte);
        self.depths.push(depth);
        self.parents.push(parent);
        self.ends.push(0);
        self.tokens.push(NO_TOKEN);
        self.bytes.len() - 1
    }

    fn close(&mut self, nodes: &[usize]) {
        let end = self.bytes.len() as u32;
        nodes.iter().for_each(|&node| self.ends[node] = end);
    }

    fn index(&mut self) {
        let mut starts = vec![0u32; 257];
        self.bytes.iter().skip(1).for_each(|&byte| starts[usize::from(byte) + 1] += 1);
        for i in 0..256 {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        self.by_byte = vec![0; self.bytes.len() - 1];
        for (node, &byte) in self.bytes.iter().enumerate().skip(1) {
            let place = &mut next[usize::from(byte)];
            self.by_byte[*place as usize] = node as u32;
            *place += 1;
        }
        self.by_byte_starts = starts;
    }

    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.bytes.len()
    }

    /// Words of 32 bits that have a bit for each token.
    #[must_use]
    pub fn n_words(&self) -> usize {
        self.n_tokens.div_ceil(32) as usize
    }

    #[must_use]
    pub fn byte(&self, node: u32) -> u8 {
        self.bytes[node as usize]
    }

    #[must_use]
    pub fn parent(&self, node: u32) -> u32 {
        self.parents[node as usize]
    }

    /// The nodes that a byte leads to.
    #[must_use]
    pub fn nodes_by(&self, byte: u8) -> &[u32] {
        let at = |i: usize| self.by_byte_starts[i] as usize;
        &self.by_byte[at(usize::from(byte))..at(usize::from(byte) + 1)]
    }

    /// Walk what is below a node, where `state` belongs to the node. `step` gives the state after a node's byte, or `None`
    /// where nothing of what is below is wanted; it hears of the node's token, or [`NO_TOKEN`].
    pub fn walk<S: Copy>(&self, node: u32, state: S, mut step: impl FnMut(S, u8, u32, u32) -> Option<S>) {
        let depth0 = usize::from(self.depths[node as usize]);
        let mut states = [state; MAX_TOKEN_BYTES + 1];
        let (mut at, end) = (node as usize + 1, self.ends[node as usize] as usize);
        while at < end {
            let depth = usize::from(self.depths[at]) - depth0;
            match step(states[depth - 1], self.bytes[at], at as u32, self.tokens[at]) {
                Some(next) => {
                    states[depth] = next;
                    at += 1;
                }
                None => at = self.ends[at] as usize,
            }
        }
    }

    /// The token that a node is the end of, or [`NO_TOKEN`].
    #[must_use]
    pub fn token(&self, node: u32) -> u32 {
        self.tokens[node as usize]
    }

    /// Give tokens of the same bytes the same bit.
    pub fn complete(&self, mask: &mut [u32]) {
        for &(first, other) in &self.same {
            if mask[first as usize / 32] >> (first % 32) & 1 == 1 {
                mask[other as usize / 32] |= 1 << (other % 32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_at_the_end_of_its_way() {
        let tokens: [&[u8]; 8] = [b"b", b"abc", b"a", b"ab", b"", b"abd", b"ab", b"\xff\xfe"];
        let trie = Trie::new(8, |id| tokens[id as usize]);
        let mut found = Vec::new();
        trie.walk(0, (), |(), _, node, token| {
            if token != NO_TOKEN {
                let mut way = Vec::new();
                let mut at = node;
                while at != 0 {
                    way.insert(0, trie.byte(at));
                    at = trie.parent(at);
                }
                assert_eq!(way, tokens[token as usize]);
                found.push(token);
            }
            Some(())
        });
        assert_eq!(found, [2, 3, 1, 5, 0, 7]);
        let mut mask = [1 << 3];
        trie.complete(&mut mask);
        assert_eq!(mask, [1 << 3 | 1 << 6]);
        assert_eq!(trie.nodes_by(b'b').len(), 2);
    }
}
