//! Letter to sound: a decision tree for each letter says which symbols the letter stands for.
//!
//! A word is read from its end, since endings decide where English puts its stress: what "-ation" or "-ity" sounds like is
//! known when the letters before them are read. The tree of a letter asks about the letters around it, and about the symbols
//! that came out so far (Black, Lenzo, Pagel: Issues in building general letter to sound rules, 1998).
//! `scripts/speech/` aligns the dictionary's letters and symbols, and grows the trees.

use super::bytes::Bytes;
use super::symbols::{LIMIT, PRIMARY, SECONDARY, Symbols};
use crate::error::{Result, bail};

pub const N_LETTERS: usize = 26;
pub const N_FEATURES: usize = 26;
/// Letters that are read as one word, at most.
const MAX_LETTERS: usize = 64;

/// Letters of a word as numbers: `a` is 1, `z` is 26. What is no letter is left out, as an apostrophe.
#[must_use]
pub fn letters(word: &str) -> Vec<u8> {
    let letters = word.bytes().map(|byte| byte.to_ascii_lowercase()).filter(u8::is_ascii_lowercase);
    letters.map(|letter| letter - b'a' + 1).collect()
}

/// Whether a word is one of the 5 % that the trees were not grown from, so that their error rate can be measured. By FNV-1a.
#[must_use]
pub fn is_left_out(word: &str) -> bool {
    let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ hash >> 15) % 20 == 0
}

/// Symbols to insert, leave out or replace to get from one text to the other (Levenshtein).
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &b) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(a != b)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

/// What came out so far, to the right of the letter that is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Emitted {
    /// The nearest symbols that are no stress marks.
    phones: [u8; 3],
    /// Of the nearest two vowels: 1 without stress, 2 with secondary stress, 3 with primary stress.
    stresses: [u8; 2],
    /// 0 before there is a primary stress, then one more than the vowels to its left.
    primary: u8,
    /// Whether the letter at the right is silent.
    silent: u8,
}

impl Emitted {
    /// Add what a letter stands for.
    pub fn push(&mut self, chunk: &[u8], symbols: &Symbols) {
        self.silent = u8::from(chunk.is_empty());
        for (i, &phone) in chunk.iter().enumerate().rev().filter(|&(_, &phone)| phone > SECONDARY) {
            if symbols.vowels().contains(&phone) {
                let stress = match i.checked_sub(1).map(|i| chunk[i]) {
                    Some(PRIMARY) => 3,
                    Some(SECONDARY) => 2,
                    _ => 1,
                };
                self.stresses = [stress, self.stresses[0]];
                self.primary = match (self.primary, stress) {
                    (_, 3) => 1,
                    (0, _) => 0,
                    (n, _) => (n + 1).min(6),
                };
            }
            self.phones = [phone, self.phones[0], self.phones[1]];
        }
    }
}

/// What a tree can ask about letter `at`: each answer is below 64.
#[must_use]
pub fn features(letters: &[u8], at: usize, emitted: &Emitted) -> [u8; N_FEATURES] {
    let letter = |i: Option<usize>| i.and_then(|i| letters.get(i)).copied().unwrap_or(0);
    let (before, after) = (|n| letter(at.checked_sub(n)), |n| letter(at.checked_add(n)));
    let from_end = |n| letter(letters.len().checked_sub(n));
    let is_vowel = |letter: u8| b"aeiouy".contains(&(letter + b'a' - 1));
    let starts_vowels = |&i: &usize| is_vowel(letters[i]) && !(i > 0 && is_vowel(letters[i - 1]));
    let Emitted { phones, stresses, primary, silent } = *emitted;
    [
        before(5),
        before(4),
        before(3),
        before(2),
        before(1),
        after(1),
        after(2),
        after(3),
        after(4),
        after(5),
        from_end(1),
        from_end(2),
        from_end(3),
        from_end(4),
        letter(Some(0)),
        letter(Some(1)),
        phones[0],
        phones[1],
        phones[2],
        stresses[0],
        stresses[1],
        primary,
        silent,
        // Groups of vowel letters that are still to come: syllables, more or less.
        (0..at).filter(starts_vowels).count().min(6) as u8,
        at.min(8) as u8,
        (letters.len() - 1 - at).min(8) as u8,
    ]
}

/// A node of a tree. Where the answer is yes, the next node follows.
#[derive(Debug, Clone, Copy)]
enum Node {
    /// Whether the feature has the value, or one of the set `value - 64`.
    Ask { feature: u8, value: u8, no: u32 },
    /// The letter stands for this chunk.
    Chunk(u8),
}

/// A tree for each letter.
#[derive(Debug)]
pub struct Trees {
    /// By letter: where its tree starts in `nodes`, and its chunks of symbols.
    trees: Vec<(usize, Vec<Vec<u8>>)>,
    nodes: Vec<Node>,
    sets: Vec<u64>,
}

/// The byte that stands for a leaf where a feature would stand.
pub const LEAF: u8 = 255;

impl Trees {
    /// Of the sections of a file.
    ///
    /// `chunks`: the number of sets, the sets as u64; for each letter the number of chunks, and each chunk as its length and its
    /// symbols. `nodes`: for each letter its tree, a node before those of "yes" before those of "no": a question is a feature and
    /// a value, a leaf is [`LEAF`] and the number of a chunk.
    pub(super) fn read(chunks: &[u8], nodes: &[u8], symbols: &Symbols) -> Result<Self> {
        let mut chunks = Bytes::new("chunks", chunks);
        let sets = (0..chunks.u8()?).map(|_| chunks.u64()).collect::<Result<Vec<u64>>>()?;
        if sets.len() > usize::from(u8::MAX - LIMIT) {
            bail!(MalformedDictionary, "the dictionary has {} sets, {} are allowed", sets.len(), u8::MAX - LIMIT);
        }
        let mut trees = Trees { trees: Vec::new(), nodes: Vec::with_capacity(nodes.len() / 2), sets };
        let mut nodes = Bytes::new("trees", nodes);
        for letter in 0..N_LETTERS {
            let chunks = (0..chunks.u8()?).map(|_| chunk(&mut chunks, symbols)).collect::<Result<Vec<_>>>()?;
            let start = trees.nodes.len();
            trees.read_tree(letter, &mut nodes, chunks.len())?;
            trees.trees.push((start, chunks));
        }
        match chunks.is_empty() && nodes.is_empty() {
            true => Ok(trees),
            false => bail!(MalformedDictionary, "the dictionary's trees have bytes behind their end"),
        }
    }

    fn read_tree(&mut self, letter: usize, nodes: &mut Bytes, n_chunks: usize) -> Result<()> {
        // Questions whose "no" is still to come.
        let mut open: Vec<usize> = Vec::new();
        loop {
            let (feature, value) = (nodes.u8()?, nodes.u8()?);
            if feature != LEAF {
                let n_values = usize::from(LIMIT) + self.sets.len();
                if usize::from(feature) >= N_FEATURES || usize::from(value) >= n_values {
                    bail!(
                        MalformedDictionary,
                        "the tree of letter {letter} asks for value {value} of feature {feature}; the dictionary has \
                         {N_FEATURES} features and {n_values} values"
                    );
                }
                open.push(self.nodes.len());
                self.nodes.push(Node::Ask { feature, value, no: 0 });
                continue;
            }
            if usize::from(value) >= n_chunks {
                bail!(MalformedDictionary, "the tree of letter {letter} has chunk {value}, of {n_chunks}");
            }
            self.nodes.push(Node::Chunk(value));
            let Some(question) = open.pop() else { return Ok(()) };
            let next = self.nodes.len() as u32;
            if let Node::Ask { no, .. } = &mut self.nodes[question] {
                *no = next;
            }
        }
    }

    /// The symbols of a word.
    #[must_use]
    pub fn sound(&self, word: &str, symbols: &Symbols) -> Vec<u8> {
        let letters = letters(word);
        // Longer ones are no words. Reading them in pieces takes time in proportion to their length.
        letters.chunks(MAX_LETTERS).flat_map(|letters| self.sound_of(letters, symbols)).collect()
    }

    fn sound_of(&self, letters: &[u8], symbols: &Symbols) -> Vec<u8> {
        let mut emitted = Emitted::default();
        let mut chunks: Vec<&[u8]> = Vec::with_capacity(letters.len());
        for at in (0..letters.len()).rev() {
            let chunk = self.chunk(usize::from(letters[at] - 1), &features(letters, at, &emitted));
            emitted.push(chunk, symbols);
            chunks.push(chunk);
        }
        chunks.reverse();
        chunks.concat()
    }

    fn chunk(&self, letter: usize, features: &[u8; N_FEATURES]) -> &[u8] {
        let (mut at, chunks) = (self.trees[letter].0, &self.trees[letter].1);
        loop {
            match self.nodes[at] {
                Node::Chunk(chunk) => return &chunks[usize::from(chunk)],
                Node::Ask { feature, value, no } => {
                    let found = features[usize::from(feature)];
                    let yes = match value.checked_sub(LIMIT) {
                        None => found == value,
                        Some(set) => self.sets[usize::from(set)] >> found & 1 == 1,
                    };
                    at = if yes { at + 1 } else { no as usize };
                }
            }
        }
    }
}

fn chunk(bytes: &mut Bytes, symbols: &Symbols) -> Result<Vec<u8>> {
    let n = bytes.u8()?;
    let chunk = bytes.take(usize::from(n))?;
    match chunk.iter().find(|&&symbol| !symbols.has(symbol)) {
        Some(symbol) => {
            bail!(MalformedDictionary, "the dictionary's trees use symbol {symbol}, which it does not have")
        }
        None => Ok(chunk.to_vec()),
    }
}
