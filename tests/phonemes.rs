//! Text to phonemes with the real dictionary, which `scripts/speech/dictionary.py` makes.

#[path = "common/data.rs"]
#[allow(dead_code, reason = "this test uses some of it")]
mod data;
#[path = "common/shared.rs"]
mod shared;

use std::time::Instant;

use data::repository;
use shared::shared;
use webgguf::speech::phonemes::dictionary::Entry;
use webgguf::speech::phonemes::letters::{distance, is_left_out};
use webgguf::speech::phonemes::{Dictionary, Phonemizer, Source};

/// The dictionary, or nothing where it was not made.
fn dictionary() -> Option<Dictionary> {
    let file = repository().join("models/speech-en-us.dict");
    let Ok(bytes) = std::fs::read(&file) else {
        println!("SKIP: no {}; python3 scripts/speech/dictionary.py makes it", file.display());
        return None;
    };
    Some(Dictionary::from_bytes(&bytes).expect("a dictionary"))
}

fn spoken(phonemizer: &Phonemizer, text: &str) -> String {
    let words = phonemizer.phonemize(text).words;
    words.iter().map(|word| word.spoken.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_word_of_the_lexicon_is_as_it_was() {
    let Some(dictionary) = dictionary() else { return };
    let file = repository().join(".cache/speech/us_gold.json");
    let Ok(bytes) = std::fs::read(&file) else {
        println!("SKIP: no {}", file.display());
        return;
    };
    let lexicon: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(lexicon.len(), 90_201);
    // The voices' symbols for the flap and the glottal stop.
    let symbols = |value: &serde_json::Value| value.as_str().unwrap_or("").replace('ɾ', "T").replace('ʔ', "t");
    for (word, value) in &lexicon {
        let entry = dictionary.get(word).unwrap_or_else(|| panic!("no '{word}'"));
        match value.as_object() {
            None => assert_eq!(entry.phonemes, symbols(value), "{word}"),
            Some(object) => {
                assert_eq!(entry.phonemes, symbols(&object["DEFAULT"]), "{word}");
                let variants = object.iter().filter(|(tag, _)| *tag != "DEFAULT").map(|(_, value)| symbols(value));
                assert!(entry.variants.iter().map(|(_, found)| found.clone()).eq(variants), "{word}");
            }
        }
    }
}

/// Readers change few words of the dictionary: acronyms that are spelled, abbreviations, "the".
#[test]
fn a_word_by_itself_is_as_the_dictionary_has_it() {
    let Some(dictionary) = dictionary() else { return };
    let phonemizer = Phonemizer::new(&dictionary);
    let differs = |(word, entry): &(String, Entry)| {
        let found = phonemizer.phonemize(word).phonemes;
        found != entry.phonemes && !entry.variants.iter().any(|(_, phonemes)| *phonemes == found)
    };
    let different: Vec<String> = dictionary.iter().filter(differs).map(|(word, _)| word).collect();
    assert!(different.len() < 90, "{}: {}", different.len(), different.join(" "));
}

#[test]
fn texts_are_written_out() {
    let Some(dictionary) = dictionary() else { return };
    let phonemizer = Phonemizer::new(&dictionary);
    let cases = include_str!("fixtures/speech/normalize.tsv");
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let (text, wanted) = line.split_once('\t').expect("a tab");
        let found = spoken(&phonemizer, text);
        if found != wanted {
            wrong.push(format!("{text}: {found}; wanted: {wanted}"));
        }
    }
    assert!(cases.lines().count() >= 300);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_are_chosen_by_their_neighbours() {
    let Some(dictionary) = dictionary() else { return };
    let phonemizer = Phonemizer::new(&dictionary);
    for line in include_str!("fixtures/speech/heteronyms.tsv").lines() {
        let (text, wanted) = line.split_once('\t').expect("a tab");
        let phonemes = phonemizer.phonemize(text).phonemes;
        for part in wanted.split(' ') {
            let found = phonemes.split(' ').any(|word| word.trim_matches(|c| ".,?!;“”".contains(c)) == part);
            assert!(found, "{text}: {phonemes} has no {part}");
        }
    }
}

#[test]
fn letter_to_sound_is_right_mostly() {
    let Some(dictionary) = dictionary() else { return };
    let plain = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let bare = |text: &str| text.replace(['ˈ', 'ˌ'], "");
    let (mut n_words, mut n, mut errors, mut n_stressed, mut errors_stressed) = (0, 0, 0, 0, 0);
    for (word, entry) in dictionary.iter().filter(|(word, _)| plain(word) && is_left_out(word)) {
        let sound = dictionary.letter_to_sound(&word);
        n_words += 1;
        n += bare(&entry.phonemes).chars().count();
        errors += distance(&bare(&sound), &bare(&entry.phonemes));
        n_stressed += entry.phonemes.chars().count();
        errors_stressed += distance(&sound, &entry.phonemes);
    }
    let rate = |errors: usize, n: usize| 100.0 * errors as f64 / n as f64;
    let (rate, stressed) = (rate(errors, n), rate(errors_stressed, n_stressed));
    println!("{n_words} words: {rate:.2} % of symbols wrong; with stress marks {stressed:.2} %");
    assert!(n_words > 8000 && rate < 6.5 && stressed < 9.5, "{n_words} words: {rate:.2} %, {stressed:.2} %");
}

#[test]
fn sources_and_marks() {
    let Some(dictionary) = dictionary() else { return };
    let phonemizer = Phonemizer::new(&dictionary);
    let said = phonemizer.phonemize("The FBI's brimblaxt quokka-watchers “met” (again) — at 5:30…");
    let sources: Vec<(&str, Source)> = said.words.iter().map(|word| (word.spoken.as_str(), word.source)).collect();
    assert_eq!(sources[0], ("The", Source::Dictionary));
    assert_eq!(sources[1], ("F B Is", Source::Spelled));
    assert_eq!(sources[2], ("brimblaxt", Source::LetterToSound));
    assert!(said.phonemes.contains("“mˈɛt” (əɡˈɛn) — æt fˈIv θˈɜɹTi…"), "{}", said.phonemes);
    // A sound for each: vowels decide.
    assert_eq!(phonemizer.phonemize("the apple, the pear").phonemes, "ði ˈæpᵊl, ðə pˈɛɹ");
    assert_eq!(phonemizer.phonemize("an hour to go to Ann").phonemes, "ɐn ˈWəɹ tə ɡˌO tʊ æn");
}

#[test]
fn sentences_end_where_they_end() {
    let Some(dictionary) = dictionary() else { return };
    let phonemizer = Phonemizer::new(&dictionary);
    let cases: [&[&str]; 12] = [
        &["One.", "Two!", "Three?", "Four…"],
        &["Dr. Smith met Mr. Jones.", "They spoke."],
        &["It costs $3.50.", "It is 3.14 long."],
        &["He said, “Go.”", "She went."],
        &["\"Is it?\" he asked.", "\"It is.\""],
        &["J. R. Smith was born in the U.S. Army base.", "He left."],
        &["Apples, pears, etc. are fruit.", "So are figs, etc.", "The end."],
        &["Wait... what?", "No."],
        &["(It rains.)", "We stay."],
        &["A heading\n\n", "A paragraph."],
        &["No. 5 is alive.", "Is it?", "No.", "It is not."],
        &["See e.g. Fig. 3.", "Then stop."],
    ];
    for case in cases {
        let text = case.join(" ");
        let wanted: Vec<&str> = case.iter().map(|sentence| sentence.trim()).collect();
        assert_eq!(phonemizer.sentences(&text), wanted, "{text}");
    }
}

/// A book, for its speed; see `benches/phonemize.rs` for figures.
#[test]
fn a_book_is_said() {
    let (Some(dictionary), Some(file)) = (dictionary(), shared("text/war-and-peace.txt")) else { return };
    let text = std::fs::read_to_string(file).unwrap();
    let start = Instant::now();
    let said = Phonemizer::new(&dictionary).phonemize(&text);
    println!("{} bytes, {} words in {:?}", text.len(), said.words.len(), start.elapsed());
    let by_letters = said.words.iter().filter(|word| word.source == Source::LetterToSound).count();
    assert!(said.words.len() > 560_000 && by_letters < said.words.len() / 40);
    // Footnote signs and such.
    assert!(said.dropped.len() < 300, "{}", said.dropped.len());
    let known =
        |c: char| dictionary.symbols().numbers(c.encode_utf8(&mut [0; 4])).is_some() || " ;:,.!?—…()“”".contains(c);
    assert!(said.phonemes.chars().all(known));
}
