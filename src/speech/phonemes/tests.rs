//! What needs no real dictionary: broken files, and texts of any kind.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::dictionary::{BY_LETTERS, Dictionary, MAGIC, Tag, WRITTEN};
use super::english::normalize::normalize;
use super::english::{CONSONANTS, VOWELS};
use super::letters::{LEAF, N_LETTERS};
use super::symbols::Symbols;
use super::{Phonemizer, Source};

fn section(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

fn file(sections: &[Vec<u8>]) -> Vec<u8> {
    [MAGIC.to_vec(), sections.iter().flat_map(|bytes| section(bytes)).collect()].concat()
}

/// A dictionary of "a", "ab" and "use", in which every letter sounds as "k".
fn sections() -> Vec<Vec<u8>> {
    let symbols = Symbols::new(VOWELS, CONSONANTS).unwrap();
    let numbers = |text: &str| symbols.numbers(text).unwrap();
    let chunks = [vec![1], 6_u64.to_le_bytes().to_vec(), [[1, 1, numbers("k")[0]]; N_LETTERS].concat()].concat();
    let trees = [LEAF, 0].repeat(N_LETTERS);
    let words = b"\0a\x01b\0use".to_vec();
    let noun = 64 + Tag::NAMES.iter().position(|(name, _)| *name == "NOUN").unwrap() as u8;
    let pronunciations =
        [vec![WRITTEN], numbers("ˈA"), vec![BY_LETTERS, WRITTEN + 1], numbers("juz"), vec![noun], numbers("jus")]
            .concat();
    let blocks = [words.len(), pronunciations.len()].map(|n| (n as u16).to_le_bytes()).concat();
    vec![symbols.to_bytes(), chunks, trees, blocks, words, pronunciations]
}

fn dictionary() -> Dictionary {
    Dictionary::from_bytes(&file(&sections())).unwrap()
}

#[test]
fn words_are_found_as_they_were_written() {
    let dictionary = dictionary();
    let phonemes = |word: &str| dictionary.get(word).map(|entry| entry.phonemes);
    assert_eq!(phonemes("a").as_deref(), Some("ˈA"));
    assert_eq!(phonemes("ab").as_deref(), Some("kk"));
    assert_eq!(phonemes("use").as_deref(), Some("ˈjuz"));
    assert_eq!(dictionary.get("use").unwrap().variants, [(Tag::Noun, "jus".to_owned())]);
    for missing in ["", "A", "aa", "abc", "u", "used", "zzz", "é"] {
        assert_eq!(dictionary.get(missing), None, "{missing}");
    }
    assert_eq!(dictionary.n_words(), 3);
    assert_eq!(dictionary.iter().map(|(word, _)| word).collect::<Vec<_>>(), ["a", "ab", "use"]);
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    let says = |change: fn(&mut Vec<Vec<u8>>), part: &str| {
        let mut sections = sections();
        change(&mut sections);
        let error = Dictionary::from_bytes(&file(&sections)).expect_err(part);
        assert_eq!(error.code(), "MALFORMED_DICTIONARY");
        assert!(error.to_string().contains(part), "{error} has no '{part}'");
    };
    says(|s| s[0][0] = 200, "symbols of the dictionary need 200 bytes");
    says(|s| s[0].extend("αβγδεζηθικλμνξοπρστυφχψω".bytes()), "64 are allowed");
    says(|s| s[1].push(0), "bytes behind their end");
    says(|s| s[2][0] = 30, "asks for value 0 of feature 30");
    says(|s| s[2][1] = 1, "has chunk 1, of 1");
    says(|s| s[2].truncate(5), "trees of the dictionary need");
    says(|s| s[3][0] += 1, "blocks have");
    says(|s| s[4][5] = b'A', "is out of order");
    says(|s| s[4][0] = 1, "is out of order");
    says(|s| s[5][0] = WRITTEN + 1, "starts with byte 129");
    says(|s| s[5][1] = 63, "has byte 63");
    says(|s| s[5].truncate(3), "blocks have");
    says(|s| s.truncate(5), "sections of the dictionary need");
    assert!(Dictionary::from_bytes(b"GGUF").unwrap_err().to_string().contains("no dictionary of version 1"));
}

/// What kinds of text meet in the readers.
fn any_text() -> impl Strategy<Value = String> {
    // Digits, letters, marks, and what readers look for.
    let pieces = "([0-9]{1,5}|[a-zA-Z]{1,6}|[.,:/'\"$€%°@#&+=×½-]| |\n|U\\.S\\.|a\\.m\\.|Dr\\.|Jan|VIII|http://|é|😀|\u{301}|日){0,30}";
    prop_oneof![any::<String>(), pieces]
}

/// Every character but white space is in one part, in order.
fn nothing_is_lost(text: &str, dictionary: &Dictionary) {
    let mut end = 0;
    for part in normalize(text, dictionary) {
        assert!(part.range.end > part.range.start, "{text:?}: {part:?}");
        // Parts of one character, as of "½", have its range.
        if part.range.end == end {
            continue;
        }
        assert!(part.range.start >= end, "{text:?}: {part:?} behind {end}");
        assert_eq!(text[end..part.range.start].trim_start_matches(is_blank), "", "{text:?}: before {part:?}");
        end = part.range.end;
    }
    assert_eq!(text[end..].trim_start_matches(is_blank), "", "{text:?}");
}

fn is_blank(c: char) -> bool {
    c.is_whitespace()
}

proptest! {
    #[test]
    fn any_bytes_are_a_dictionary_or_an_error(at in 0_usize..400, byte: u8, cut in 0_usize..400) {
        let mut bytes = file(&sections());
        let n = bytes.len();
        bytes[at % n] = byte;
        bytes.truncate(n - (cut % n) * usize::from(cut > 300));
        if let Ok(dictionary) = Dictionary::from_bytes(&bytes) {
            for (word, entry) in dictionary.iter().collect::<Vec<_>>() {
                prop_assert_eq!(dictionary.get(&word), Some(entry));
            }
            let _ = Phonemizer::new(&dictionary).phonemize("a use of ab, and more");
        }
    }

    #[test]
    fn any_text_is_said_or_listed(text in any_text()) {
        let dictionary = dictionary();
        nothing_is_lost(&text, &dictionary);
        let phonemizer = Phonemizer::new(&dictionary);
        let said = phonemizer.phonemize(&text);
        for word in &said.words {
            prop_assert!(!word.spoken.is_empty());
            prop_assert!(text.get(word.range.clone()).is_some_and(|part| !part.is_empty()));
        }
        let mut rest = text.as_str();
        for sentence in phonemizer.sentences(&text) {
            let at = rest.find(sentence);
            prop_assert!(at.is_some());
            let (before, behind) = rest.split_at(at.unwrap_or(0));
            prop_assert_eq!(before.trim(), "");
            rest = &behind[sentence.len()..];
        }
        prop_assert_eq!(rest.trim(), "");
    }
}

/// Chains of one thing: a reader that looks ahead without an end takes time by the square.
#[test]
fn a_long_chain_takes_no_longer_than_its_length() {
    let dictionary = dictionary();
    let phonemizer = Phonemizer::new(&dictionary);
    let chains = [
        "a",
        "A",
        "1",
        "a.",
        "1.",
        "1-",
        "a-",
        "-",
        "'",
        "a'",
        "'a ",
        "$",
        "$1-",
        "1/",
        "1,111,",
        "1:",
        "#",
        "@a",
        "a@",
        "a_",
        "http://",
        "é",
        "日",
        "\u{301}",
        "½",
        "A&",
        "+1 ",
        "1 1/2 ",
        "I",
        ".",
        "5'5\" ",
        "a1",
        "-a",
        "Mr. ",
        "read very ",
        "s'",
        "\n",
        "1 ",
        "(",
    ];
    for chain in chains {
        let text = chain.repeat(60_000 / chain.len());
        let start = Instant::now();
        let said = phonemizer.phonemize(&text);
        let n_sentences = phonemizer.sentences(&text).len();
        // By the square, 60,000 places take a minute or more.
        assert!(start.elapsed() < Duration::from_secs(20), "{chain:?}: {:?}", start.elapsed());
        assert!(said.words.len() + said.dropped.len() + n_sentences <= 3 * text.len(), "{chain:?}");
    }
}

#[test]
fn what_cannot_be_said_is_listed() {
    let dictionary = dictionary();
    let text = "a 😀 use, 日本 ab";
    let said = Phonemizer::new(&dictionary).phonemize(text);
    let dropped: Vec<&str> = said.dropped.iter().map(|range| &text[range.clone()]).collect();
    assert_eq!(dropped, ["😀", "日", "本"]);
    assert_eq!(said.phonemes, "ɐ jus, kk");
    assert!(said.words.iter().all(|word| word.source == Source::Dictionary));
}
