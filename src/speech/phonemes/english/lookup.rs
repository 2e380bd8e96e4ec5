//! How a word by itself is pronounced: by the dictionary, in other cases, by its parts, by its letters.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::morphology;
use crate::speech::phonemes::Source;
use crate::speech::phonemes::dictionary::{Dictionary, Entry};

/// The words of a text, each looked up once while they are few.
pub struct Lookup<'a> {
    pub dictionary: &'a Dictionary,
    known: RefCell<HashMap<String, Found>>,
}

pub type Found = Rc<(Entry, Source)>;

/// Words that are kept.
const MAX_KNOWN: usize = 8192;

impl<'a> Lookup<'a> {
    pub fn new(dictionary: &'a Dictionary) -> Self {
        Lookup { dictionary, known: RefCell::default() }
    }

    pub fn find(&self, word: &str) -> Found {
        let mut known = self.known.borrow_mut();
        if let Some(found) = known.get(word) {
            return found.clone();
        }
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        let found = Rc::new(lookup(self.dictionary, word));
        known.insert(word.to_owned(), found.clone());
        found
    }
}

fn lookup(dictionary: &Dictionary, word: &str) -> (Entry, Source) {
    if let Some(entry) = known(dictionary, word) {
        return (entry, Source::Dictionary);
    }
    // "'round": a word that lost nothing of its sound.
    if let Some(entry) = word.strip_prefix('\'').and_then(|word| known(dictionary, word)) {
        return (entry, Source::Dictionary);
    }
    if let Some(entry) = morphology::derive(dictionary, word) {
        return (entry, Source::Derived);
    }
    // "npm": no letter could be a vowel.
    if word.len() < 6 && !word.bytes().any(|byte| b"aeiouyAEIOUY".contains(&byte)) {
        return (
            Entry { phonemes: spell(dictionary, &word.to_ascii_uppercase()), variants: Vec::new() },
            Source::Spelled,
        );
    }
    match dictionary.letter_to_sound(word) {
        phonemes if phonemes.is_empty() => {
            (Entry { phonemes: spell(dictionary, word), variants: Vec::new() }, Source::Spelled)
        }
        phonemes => (Entry { phonemes, variants: Vec::new() }, Source::LetterToSound),
    }
}

/// A word of the dictionary, as it is, in small letters, or with a capital.
pub fn known(dictionary: &Dictionary, word: &str) -> Option<Entry> {
    if let Some(entry) = dictionary.get(word) {
        return Some(entry);
    }
    let lower = word.to_ascii_lowercase();
    if lower != word
        && let Some(entry) = dictionary.get(&lower)
    {
        return Some(entry);
    }
    let mut capital = lower;
    capital.get_mut(..1)?.make_ascii_uppercase();
    if capital == word { None } else { dictionary.get(&capital) }
}

/// The names of letters. The last one has the stress; a small "s" behind capitals makes a plural.
pub fn spell(dictionary: &Dictionary, letters: &str) -> String {
    let names = letters.chars().filter(|c| c.is_ascii_alphabetic());
    let (letters, plural) =
        match letters.strip_suffix('s').filter(|stem| stem.ends_with(|c: char| c.is_ascii_uppercase())) {
            Some(stem) => (stem.to_owned(), true),
            None => (names.collect(), false),
        };
    let name =
        |letter: char| dictionary.get(letter.to_ascii_uppercase().encode_utf8(&mut [0; 4])).map(|entry| entry.phonemes);
    let names: String = letters.chars().filter_map(name).collect::<String>().replace('ˈ', "ˌ");
    let named = match names.rfind('ˌ') {
        Some(at) => format!("{}ˈ{}", &names[..at], &names[at + 'ˌ'.len_utf8()..]),
        None => names,
    };
    if plural { morphology::plural(&named) } else { named }
}
