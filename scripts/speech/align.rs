//! Which symbols each letter of a word stands for, by expectation maximisation: a letter stands for 0 to 4 symbols in order; the
//! best alignment by the counts of the last round gives the counts of the next.

use std::collections::HashMap;

/// Symbols of a letter, at most.
const MAX_SYMBOLS: usize = 4;
const ROUNDS: usize = 7;

/// A word: its letters, and its symbols without stress.
pub struct Pair<'a> {
    pub letters: &'a [u8],
    pub phones: Vec<u8>,
}

type Scores = HashMap<(u8, Vec<u8>), f64>;

/// For each word the number of symbols of each letter; none where there are more symbols than letters can have.
pub fn align(words: &[Pair], is_vowel: impl Fn(u8) -> bool) -> Vec<Vec<usize>> {
    let first = |letter: u8, phones: &[u8]| {
        let vowel_letter = b"aeiouy".contains(&(letter + b'a' - 1));
        let strange = phones.iter().filter(|&&phone| is_vowel(phone) != vowel_letter).count();
        [-2.5, 0.0, -4.0, -8.0, -12.0][phones.len()] - 3.0 * strange as f64
    };
    let mut cuts: Vec<Vec<usize>> = words.iter().map(|pair| best(pair, first)).collect();
    for _ in 1..ROUNDS {
        let scores = count(words, &cuts);
        let score = |letter, phones: &[u8]| {
            // Unseen pairs are possible, so that every word has an alignment.
            scores.get(&(letter, phones.to_vec())).copied().unwrap_or(-14.0 - 2.0 * phones.len() as f64)
        };
        cuts = words.iter().map(|pair| best(pair, score)).collect();
    }
    cuts
}

/// Logarithms of how often a letter stands for symbols.
fn count(words: &[Pair], cuts: &[Vec<usize>]) -> Scores {
    let mut counts = Scores::new();
    let mut totals: HashMap<u8, f64> = HashMap::new();
    for (pair, cut) in words.iter().zip(cuts) {
        let mut phones = pair.phones.as_slice();
        for (&letter, &n) in pair.letters.iter().zip(cut) {
            let (chunk, rest) = phones.split_at(n);
            *counts.entry((letter, chunk.to_vec())).or_default() += 1.0;
            *totals.entry(letter).or_default() += 1.0;
            phones = rest;
        }
    }
    counts.into_iter().map(|((letter, chunk), n)| ((letter, chunk), (n / totals[&letter]).ln())).collect()
}

/// The alignment of the largest sum of scores (Viterbi).
fn best(Pair { letters, phones }: &Pair, score: impl Fn(u8, &[u8]) -> f64) -> Vec<usize> {
    let (n, m) = (letters.len(), phones.len());
    // By letters and symbols so far: the best sum, and the symbols of the last letter.
    let mut table = vec![vec![(f64::NEG_INFINITY, 0); m + 1]; n + 1];
    table[0][0].0 = 0.0;
    for i in 0..n {
        for j in 0..=m {
            let sum = table[i][j].0;
            if sum == f64::NEG_INFINITY {
                continue;
            }
            for k in 0..=MAX_SYMBOLS.min(m - j) {
                let sum = sum + score(letters[i], &phones[j..j + k]);
                if sum > table[i + 1][j + k].0 {
                    table[i + 1][j + k] = (sum, k);
                }
            }
        }
    }
    if table[n][m].0 == f64::NEG_INFINITY {
        return Vec::new();
    }
    let mut cut = vec![0; n];
    let mut j = m;
    for i in (0..n).rev() {
        cut[i] = table[i + 1][j].1;
        j -= cut[i];
    }
    cut
}
