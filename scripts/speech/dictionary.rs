//! Makes the dictionary of `src/speech/phonemes/dictionary.rs` out of lexicons: grows the trees of letter-to-sound, packs the words.
//!
//! `cargo run --no-default-features --features speech --example speech_dictionary -- OUT LEXICON.json...`, as `dictionary.py` calls
//! it. A lexicon maps a word to its symbols, or to an object of them by part of speech; the first lexicon that has a word counts.
//!
//! Words of which [`is_left_out`] is true are no examples for the trees; the error rate on them is printed.

mod align;
mod grow;

use std::collections::BTreeMap;

use align::{Pair, align};
use grow::{Example, grow};
use serde_json::Value;
use webgguf::speech::phonemes::dictionary::{BLOCK, BY_LETTERS, Dictionary, MAGIC, MAX_SHARED, Tag, WRITTEN};
use webgguf::speech::phonemes::english::{CONSONANTS, VOWELS};
use webgguf::speech::phonemes::letters::{Emitted, N_FEATURES, N_LETTERS, features, is_left_out, letters};
use webgguf::speech::phonemes::symbols::{LIMIT, SECONDARY, Symbols};

/// Sets of letters that a tree may ask for. `#` is beyond the word's ends.
const LETTER_SETS: [&str; 14] = [
    "aeiouy",
    "eiy",
    "aou",
    "bcdfghjklmnpqrstvwxz",
    "ptkcqfsxh",
    "bdgvzjmnlrw",
    "lr",
    "mn",
    "sxz",
    "td",
    "cgk",
    "#",
    "aeiou",
    "lrnm",
];
/// Sets of symbols.
const SYMBOL_SETS: [&str; 10] =
    [VOWELS, CONSONANTS, "ptkfsʃʧθ", "əᵊᵻɪ", "lɹ", "mnŋ", "szʃʒʤʧ", "AIOWYiu", "td", "lɹjw"];
/// Numbers below 1, 2, ...
const N_NUMBER_SETS: usize = 7;
/// Features that are letters, symbols and numbers, see `letters.rs`.
const LETTERS: std::ops::Range<usize> = 0..16;
const SYMBOLS: std::ops::Range<usize> = 16..19;

struct Word {
    /// In the order of the lexicon's tags; none is spelled.
    variants: Vec<(u8, Vec<u8>)>,
    symbols: Vec<u8>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let out = args.next().ok_or("usage: speech_dictionary OUT LEXICON.json...")?;
    let symbols = Symbols::new(VOWELS, CONSONANTS)?;
    let words = read(args, &symbols)?;
    let (chunks, trees) = train(&words, &symbols);
    // First without words: it says which words letter-to-sound gets right.
    let empty = Dictionary::from_bytes(&file(&[&symbols.to_bytes(), &chunks, &trees, &[], &[], &[]]))?;
    let (blocks, packed, pronunciations) = pack(&words, &empty);
    let bytes = file(&[&symbols.to_bytes(), &chunks, &trees, &blocks, &packed, &pronunciations]);
    check(&words, &Dictionary::from_bytes(&bytes)?);
    let right = pronunciations.iter().filter(|&&byte| byte == BY_LETTERS).count();
    println!("{} words, of which letter-to-sound says {right} as they are", words.len());
    println!(
        "{} bytes: {} trees, {} blocks, {} words, {} pronunciations",
        bytes.len(),
        chunks.len() + trees.len(),
        blocks.len(),
        packed.len(),
        pronunciations.len()
    );
    std::fs::write(out, bytes)?;
    Ok(())
}

fn read(
    files: impl Iterator<Item = String>,
    symbols: &Symbols,
) -> Result<BTreeMap<String, Word>, Box<dyn std::error::Error>> {
    let mut words = BTreeMap::new();
    for file in files {
        let lexicon: serde_json::Map<String, Value> = serde_json::from_slice(&std::fs::read(&file)?)?;
        for (word, value) in lexicon {
            let numbers = |value: &Value| match value.as_str() {
                // The voices know the flap as T, and no glottal stop (Kokoro 1.0).
                Some(text) => {
                    symbols.numbers(&text.replace('ɾ', "T").replace('ʔ', "t")).ok_or(format!("'{word}' has {text}"))
                }
                None => Ok(Vec::new()),
            };
            let tag = |name: &str| Tag::NAMES.iter().position(|&(tag, _)| tag == name).map(|i| i as u8);
            let entry = match &value {
                Value::Object(object) => {
                    let variants = object.iter().filter_map(|(name, value)| Some((tag(name)?, numbers(value))));
                    let variants = variants.map(|(tag, symbols)| symbols.map(|symbols| (tag, symbols)));
                    Word { symbols: numbers(&value["DEFAULT"])?, variants: variants.collect::<Result<_, _>>()? }
                }
                value => Word { symbols: numbers(value)?, variants: Vec::new() },
            };
            words.entry(word).or_insert(entry);
        }
    }
    Ok(words)
}

/// Whether a word is written as it sounds: no acronym, nothing with hyphens or apostrophes.
fn is_plain(word: &str) -> bool {
    word.len() > 1
        && word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
}

/// The sections `chunks` and `trees`.
fn train(words: &BTreeMap<String, Word>, symbols: &Symbols) -> (Vec<u8>, Vec<u8>) {
    let words = words.iter().filter(|(word, _)| is_plain(word) && !is_left_out(word));
    let words: Vec<(Vec<u8>, &[u8])> = words.map(|(word, entry)| (letters(word), &entry.symbols[..])).collect();
    let bare = |symbols: &[u8]| symbols.iter().copied().filter(|&symbol| symbol > SECONDARY).collect();
    let pairs: Vec<Pair> = words.iter().map(|(letters, symbols)| Pair { letters, phones: bare(symbols) }).collect();
    let cuts = align(&pairs, |phone| symbols.vowels().contains(&phone));

    // By letter.
    let mut chunks: Vec<Vec<Vec<u8>>> = vec![Vec::new(); N_LETTERS];
    let mut examples: Vec<Vec<Example>> = (0..N_LETTERS).map(|_| Vec::new()).collect();
    for ((letters, symbols_of_word), cut) in words.iter().zip(&cuts).filter(|(_, cut)| !cut.is_empty()) {
        let mut emitted = Emitted::default();
        let parts = parts(symbols_of_word, cut);
        for at in (0..letters.len()).rev() {
            let letter = usize::from(letters[at] - 1);
            let known = &mut chunks[letter];
            let chunk = known.iter().position(|chunk| *chunk == parts[at]).unwrap_or(known.len());
            // The trees number chunks with a byte. There are about 100; those beyond are no examples.
            if let Ok(number) = u8::try_from(chunk)
                && number < u8::MAX
            {
                if chunk == known.len() {
                    known.push(parts[at].clone());
                }
                examples[letter].push(Example { features: features(letters, at, &emitted), chunk: number });
            }
            emitted.push(&parts[at], symbols);
        }
    }
    let (sets, by_feature) = sets(symbols);
    let mut sections = (vec![sets.len() as u8], Vec::new());
    sections.0.extend(sets.iter().flat_map(|set| set.to_le_bytes()));
    for (letter, mut examples) in examples.into_iter().enumerate() {
        // A letter that no word has is silent.
        let chunks = if chunks[letter].is_empty() { vec![Vec::new()] } else { std::mem::take(&mut chunks[letter]) };
        sections.0.push(chunks.len() as u8);
        for chunk in &chunks {
            sections.0.push(chunk.len() as u8);
            sections.0.extend(chunk);
        }
        grow(&mut examples, &by_feature).write(&mut sections.1);
    }
    sections
}

/// A word's symbols by letter; stress marks go with their vowel.
fn parts(symbols: &[u8], cut: &[usize]) -> Vec<Vec<u8>> {
    let mut left = symbols.iter().copied();
    let mut part = |&n: &usize| {
        let mut part = Vec::new();
        let mut phones = 0;
        while phones < n {
            let Some(symbol) = left.next() else { break };
            phones += usize::from(symbol > SECONDARY);
            part.push(symbol);
        }
        part
    };
    cut.iter().map(&mut part).collect()
}

/// All sets, and for each feature those that are sets of its values with their numbers in questions.
fn sets(symbols: &Symbols) -> (Vec<u64>, Vec<Vec<(usize, u64)>>) {
    let letter_set = |set: &str| set.bytes().map(|b| 1_u64 << if b == b'#' { 0 } else { b - b'a' + 1 }).sum::<u64>();
    let symbol_set = |set: &&str| symbols.numbers(set).into_iter().flatten().map(|symbol| 1_u64 << symbol).sum::<u64>();
    let mut sets: Vec<u64> = LETTER_SETS.iter().map(|set| letter_set(set)).collect();
    sets.extend(SYMBOL_SETS.iter().map(symbol_set));
    sets.extend((1..=N_NUMBER_SETS).map(|n| (1_u64 << n) - 1));
    let numbered: Vec<(usize, u64)> = sets.iter().enumerate().map(|(i, &set)| (usize::from(LIMIT) + i, set)).collect();
    let (letters, rest) = numbered.split_at(LETTER_SETS.len());
    let (phones, numbers) = rest.split_at(SYMBOL_SETS.len());
    let of_feature = |feature: usize| match feature {
        f if LETTERS.contains(&f) => letters.to_vec(),
        f if SYMBOLS.contains(&f) => phones.to_vec(),
        _ => numbers.to_vec(),
    };
    (sets, (0..N_FEATURES).map(of_feature).collect())
}

/// The sections `blocks`, `words` and `pronunciations`.
fn pack(words: &BTreeMap<String, Word>, trees: &Dictionary) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (mut blocks, mut packed, mut pronunciations) = (Vec::new(), Vec::new(), Vec::new());
    let words: Vec<(&String, &Word)> = words.iter().collect();
    for block in words.chunks(BLOCK) {
        let from = (packed.len(), pronunciations.len());
        let (mut last, mut written): (&[u8], &[u8]) = (&[], &[]);
        for (word, Word { symbols, variants }) in block {
            let shared = shared(word.as_bytes(), last, usize::from(MAX_SHARED) - 1);
            packed.push(shared as u8);
            packed.extend(&word.as_bytes()[shared..]);
            last = word.as_bytes();
            if trees.letter_to_sound(word) == trees.symbols().text(symbols) {
                pronunciations.push(BY_LETTERS);
            } else {
                let shared = crate::shared(symbols, written, usize::from(u8::MAX - WRITTEN));
                pronunciations.push(WRITTEN + shared as u8);
                pronunciations.extend(&symbols[shared..]);
                written = symbols;
            }
            for (tag, symbols) in variants {
                pronunciations.push(LIMIT + tag);
                pronunciations.extend(symbols);
            }
        }
        for len in [packed.len() - from.0, pronunciations.len() - from.1] {
            blocks.extend((len as u16).to_le_bytes());
        }
    }
    (blocks, packed, pronunciations)
}

fn shared(a: &[u8], b: &[u8], max: usize) -> usize {
    a.iter().zip(b).take(max).take_while(|(a, b)| a == b).count()
}

fn file(sections: &[&[u8]; 6]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    for section in sections {
        file.extend((section.len() as u32).to_le_bytes());
        file.extend(*section);
    }
    file
}

/// Every word is found as it was read; the error rate of letter-to-sound on words that it was not grown from.
fn check(words: &BTreeMap<String, Word>, dictionary: &Dictionary) {
    let (mut rates, mut stressed) = (Rate::default(), Rate::default());
    for (word, Word { symbols, variants }) in words {
        let found = dictionary.get(word).unwrap_or_else(|| panic!("'{word}' is not found"));
        let text = |symbols| dictionary.symbols().text(symbols);
        assert_eq!(found.phonemes, text(symbols), "{word}");
        assert!(
            found.variants.iter().map(|(_, found)| found).eq(&variants.iter().map(|v| text(&v.1)).collect::<Vec<_>>())
        );
        if is_plain(word) && is_left_out(word) {
            let sound = dictionary.letter_to_sound(word);
            stressed.add(&sound, &found.phonemes);
            let bare = |text: &str| text.replace(['ˈ', 'ˌ'], "");
            rates.add(&bare(&sound), &bare(&found.phonemes));
        }
    }
    println!("letter-to-sound on {} words left out: {rates}; with stress marks {stressed}", rates.words);
}

/// Errors by Levenshtein distance.
#[derive(Default)]
struct Rate {
    words: usize,
    right: usize,
    symbols: usize,
    errors: usize,
}

impl Rate {
    fn add(&mut self, found: &str, wanted: &str) {
        let errors = webgguf::speech::phonemes::letters::distance(found, wanted);
        self.words += 1;
        self.right += usize::from(errors == 0);
        self.symbols += wanted.chars().count();
        self.errors += errors;
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let percent = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
        let (errors, right) = (percent(self.errors, self.symbols), percent(self.right, self.words));
        write!(f, "{errors:.2} % of symbols wrong, {right:.1} % of words right")
    }
}
