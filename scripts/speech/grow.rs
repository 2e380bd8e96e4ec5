//! Growing the tree of a letter: each node asks what tells most about the letter's symbols, until a question costs more bits than
//! it saves.

use webgguf::speech::phonemes::letters::{LEAF, N_FEATURES};

/// Bits that a question must save. One and its leaf take about 16 bits of the compressed file; a word that the trees get wrong takes
/// as many, so asking more is worth it.
const MIN_GAIN: f64 = 4.0;
/// Below this number a question's value is a value, from there on a set.
const N_VALUES: usize = 64;

/// A letter of a word.
pub struct Example {
    pub features: [u8; N_FEATURES],
    /// Number of the letter's chunk.
    pub chunk: u8,
}

pub enum Tree {
    Leaf(u8),
    Ask { feature: u8, value: u8, yes: Box<Tree>, no: Box<Tree> },
}

impl Tree {
    /// As `letters.rs` reads it.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Tree::Leaf(chunk) => out.extend([LEAF, *chunk]),
            Tree::Ask { feature, value, yes, no } => {
                out.extend([*feature, *value]);
                yes.write(out);
                no.write(out);
            }
        }
    }
}

/// Bits that it takes to say which chunk each example has.
fn bits(counts: &[u32]) -> f64 {
    let n = f64::from(counts.iter().sum::<u32>());
    counts.iter().filter(|&&c| c > 0).map(|&c| -f64::from(c) * (f64::from(c) / n).log2()).sum()
}

/// A question: a feature and the set of values that answer it with yes.
struct Question {
    gain: f64,
    feature: usize,
    value: usize,
    set: u64,
}

/// The tree of examples. `sets[feature]` has the sets that can be asked for, with their numbers.
pub fn grow(examples: &mut [Example], sets: &[Vec<(usize, u64)>]) -> Tree {
    // Chunks are numbered anew: few of them come in one node.
    let mut local = [usize::MAX; 256];
    let mut chunks: Vec<(u8, u32)> = Vec::new();
    for example in examples.iter() {
        let i = &mut local[usize::from(example.chunk)];
        if *i == usize::MAX {
            *i = chunks.len();
            chunks.push((example.chunk, 0));
        }
        chunks[*i].1 += 1;
    }
    let most = chunks.iter().max_by_key(|&&(chunk, n)| (n, std::cmp::Reverse(chunk))).map_or(0, |&(chunk, _)| chunk);
    let counts: Vec<u32> = chunks.iter().map(|&(_, n)| n).collect();
    if bits(&counts) < MIN_GAIN {
        return Tree::Leaf(most);
    }
    let question = (0..N_FEATURES).filter_map(|feature| best(examples, feature, &sets[feature], &local, &counts));
    let question = question.reduce(|a, b| if b.gain > a.gain + 1e-9 { b } else { a });
    let Some(Question { feature, value, set, .. }) = question.filter(|question| question.gain >= MIN_GAIN) else {
        return Tree::Leaf(most);
    };
    examples.sort_by_key(|example| set >> example.features[feature] & 1 == 0);
    let n_yes = examples.partition_point(|example| set >> example.features[feature] & 1 == 1);
    let (yes, no) = examples.split_at_mut(n_yes);
    match (grow(yes, sets), grow(no, sets)) {
        (Tree::Leaf(yes), Tree::Leaf(no)) if yes == no => Tree::Leaf(yes),
        (yes, no) => Tree::Ask { feature: feature as u8, value: value as u8, yes: Box::new(yes), no: Box::new(no) },
    }
}

/// The best question about one feature.
fn best(
    examples: &[Example],
    feature: usize,
    sets: &[(usize, u64)],
    local: &[usize; 256],
    counts: &[u32],
) -> Option<Question> {
    let n = counts.len();
    let mut table = vec![0_u32; N_VALUES * n];
    let mut seen = 0_u64;
    for example in examples {
        let value = usize::from(example.features[feature]);
        seen |= 1 << value;
        table[value * n + local[usize::from(example.chunk)]] += 1;
    }
    let all = bits(counts);
    let mut tried: Vec<u64> = Vec::new();
    let mut best: Option<Question> = None;
    let values = (0..N_VALUES).filter(|value| seen >> value & 1 == 1).map(|value| (value, 1 << value));
    for (value, set) in values.chain(sets.iter().copied()) {
        let inside = set & seen;
        if inside == 0 || inside == seen || tried.contains(&inside) {
            continue;
        }
        tried.push(inside);
        let mut yes = vec![0; n];
        for value in (0..N_VALUES).filter(|value| inside >> value & 1 == 1) {
            for (sum, count) in yes.iter_mut().zip(&table[value * n..]) {
                *sum += count;
            }
        }
        let no: Vec<u32> = counts.iter().zip(&yes).map(|(all, yes)| all - yes).collect();
        let gain = all - bits(&yes) - bits(&no);
        if best.as_ref().is_none_or(|best| gain > best.gain + 1e-9) {
            best = Some(Question { gain, feature, value, set });
        }
    }
    best
}
