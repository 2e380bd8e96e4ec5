//! Words: read, spelled, or made of several.

use super::MAX_LEXEMES;
use super::spoken::{Reading, Say};
use super::{abbreviations, units};
use crate::speech::phonemes::Dictionary;
use crate::speech::phonemes::dictionary::Tag;
use crate::speech::phonemes::english::lexemes::{At, Kind};

/// Two consonants with which a word can begin.
const ONSETS: [&str; 31] = [
    "bl", "br", "ch", "cl", "cr", "dr", "dw", "fl", "fr", "gl", "gr", "kn", "ph", "pl", "pr", "qu", "sc", "sh", "sk",
    "sl", "sm", "sn", "sp", "st", "sw", "th", "tr", "tw", "wh", "wr", "gn",
];
/// In capitals these are spelled, though they are words in small letters, too.
const SPELLED: [&str; 33] = [
    "AI", "IT", "US", "UK", "EU", "UN", "TV", "PC", "CD", "ID", "PM", "AC", "DC", "CEO", "CFO", "CTO", "MIT", "CIA",
    "IRS", "EPA", "ATM", "ICU", "UFO", "VIP", "ISP", "USA", "PR", "HR", "AD", "BC", "ET", "AP", "PO",
];
/// Words in capitals that are words, though the dictionary would have them spelled: "that IS right".
const EMPHASIZED: [&str; 12] = ["HE", "IN", "IS", "OR", "BE", "ME", "AS", "OH", "HI", "ADD", "ACT", "AID"];
/// "the A train", "vitamin A".
const NAMED: [&str; 14] = [
    "the",
    "vitamin",
    "plan",
    "type",
    "grade",
    "hepatitis",
    "letter",
    "section",
    "group",
    "team",
    "option",
    "class",
    "point",
    "an",
];
/// Letters and capitals that are no acronym.
const SHORT: [(&str, &str); 8] = [
    ("PhD", "PHD"),
    ("PhDs", "PHDs"),
    ("MSc", "MSC"),
    ("BSc", "BSC"),
    ("mRNA", "MRNA"),
    ("pH", "PH"),
    ("tRNA", "TRNA"),
    ("USAs", "USAs"),
];

/// A word in small letters that stands by itself: most are, so no other reader has to look at them.
pub fn plain(at: &At) -> Option<Reading> {
    let word = at.word(0).filter(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase()))?;
    let apart = matches!(at.kind(-1), None | Some(Kind::Space))
        && matches!(at.kind(1), Some(Kind::Space | Kind::Mark(',' | ';' | '!' | '?')));
    // Units and abbreviations are short.
    let clear = word.len() > 6 || !units::is_clear(word) && !abbreviations::is_clear(word);
    (apart && clear).then(|| Reading::words(1, word))
}

/// A word, or several with hyphens between them.
pub fn read(at: &At) -> Option<Reading> {
    let word = at.word(0)?;
    // "AT&T", "R&D".
    let is_capitals =
        |k: isize| at.word(k).is_some_and(|word| word.len() < 4 && word.bytes().all(|byte| byte.is_ascii_uppercase()));
    if is_capitals(0) && (at.is_mark(1, '&') && is_capitals(2) || at.is_mark(-1, '&') && is_capitals(-2)) {
        return Some(Reading::spell(1, word));
    }
    // "o'", "thro'".
    if at.is_mark(1, '\'') && at.dictionary.get(&format!("{word}'")).is_some() {
        return Some(Reading::words(2, &format!("{word}'")));
    }
    // "runnin'" of "running".
    if word.ends_with("in")
        && at.is_mark(1, '\'')
        && at.dictionary.get(&format!("{}g", word.to_ascii_lowercase())).is_some()
    {
        return Some(Reading::words(2, &format!("{word}'")));
    }
    let mut n = 1;
    let mut joined = word.to_owned();
    while n < MAX_LEXEMES {
        // "jack-o'-lantern".
        let quote = isize::from(at.is_mark(n, '\'') && at.is_mark(n + 1, '-'));
        let Some(next) = at.word(n + quote + 1).filter(|_| at.is_mark(n + quote, '-')) else { break };
        joined = format!("{joined}{}-{next}", if quote == 1 { "'" } else { "" });
        n += 2 + quote;
    }
    // The dictionary has some of them as one.
    if n > 1 {
        let lower = joined.to_ascii_lowercase();
        if let Some(known) = [joined, lower].into_iter().find(|word| at.dictionary.get(word).is_some()) {
            return Some(Reading::words(n, &known));
        }
    }
    Some(Reading { n: 1, say: say(at, word) })
}

/// What a word is: itself, its letters, or its parts.
pub fn say(at: &At, word: &str) -> Vec<Say> {
    if let Some((_, letters)) = SHORT.iter().find(|(short, _)| *short == word) {
        return vec![Say::Spell((*letters).into())];
    }
    let upper = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let has_lower = word.bytes().any(|byte| byte.is_ascii_lowercase());
    // "CDs", "URL's".
    let end = &word[upper..];
    if upper > 1 && matches!(end, "s" | "'s") && at.dictionary.get(word).is_none() {
        let stem = &word[..upper];
        return match acronym(at, stem) {
            Say::Spell(letters) => vec![Say::Spell(letters + "s")],
            Say::Word(stem) => vec![Say::Word(stem + end)],
            Say::Mark(_) => Vec::new(),
        };
    }
    if word.len() == 1 {
        return vec![single(at, word)];
    }
    if !has_lower {
        return vec![acronym(at, word)];
    }
    let inner_capital = word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    if !inner_capital || at.dictionary.get(word).is_some() || word.contains('\'') {
        return vec![Say::Word(word.into())];
    }
    // "MacDonald", "McX": one word.
    if word.strip_prefix("Mc").or(word.strip_prefix("Mac")).is_some_and(is_name) {
        return vec![Say::Word(word.into())];
    }
    camel(word).into_iter().flat_map(|part| say_part(at, part)).collect()
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.bytes().skip(1).all(|byte| byte.is_ascii_lowercase())
        && word.len() > 2
}

fn say_part(at: &At, part: &str) -> Vec<Say> {
    match part.len() {
        1 => vec![Say::Spell(part.to_ascii_uppercase())],
        _ if part.bytes().all(|byte| byte.is_ascii_uppercase()) => vec![acronym(at, part)],
        _ => vec![Say::Word(part.into())],
    }
}

/// "OpenAIModel" is "Open", "AI", "Model".
fn camel(word: &str) -> Vec<&str> {
    let bytes = word.as_bytes();
    let mut parts = Vec::new();
    let mut start = 0;
    for i in 1..bytes.len() {
        let rises = bytes[i].is_ascii_uppercase() && bytes[i - 1].is_ascii_lowercase();
        let falls = bytes[i].is_ascii_uppercase() && bytes.get(i + 1).is_some_and(u8::is_ascii_lowercase);
        if rises || falls {
            parts.push(&word[start..i]);
            start = i;
        }
    }
    parts.push(&word[start..]);
    parts
}

/// One letter: "a" and "I" are words where they can be.
fn single(at: &At, letter: &str) -> Say {
    let word_behind = at.blank(1) == 1 && at.word(2).is_some();
    // A pause or the sign of a formula shows a letter.
    let sign = matches!(at.mark(2), Some('+' | '=' | '×' | '→' | '-' | '–' | '—' | '<' | '>' | '/'));
    let thing_behind = at.blank(1) == 1 && at.kind(2).is_some() && !sign;
    let lower_behind = word_behind && at.word(2).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    let spell = match letter {
        "a" => !thing_behind && at.word_before().is_none_or(|word| word == "letter"),
        // "Plan A is", and "A plan is".
        "A" if at.word_before().is_some_and(|before| NAMED.contains(&before.to_ascii_lowercase().as_str())) => true,
        "A" => {
            !word_behind && at.kind(1).is_some_and(|_| !at.is_space(1))
                || at.word_before().is_some_and(is_name) && !lower_behind
        }
        "I" => false,
        "O" => !word_behind,
        _ => true,
    };
    if spell { Say::Spell(letter.to_ascii_uppercase()) } else { Say::Word(letter.into()) }
}

/// A word in capitals.
fn acronym(at: &At, word: &str) -> Say {
    let lower = word.to_ascii_lowercase();
    let read = match at.dictionary.get(word) {
        // The dictionary says that the noun is spelled, as that of "IT". Among other words in capitals it is a word.
        Some(_) if EMPHASIZED.contains(&word) => true,
        Some(entry) if entry.variants.contains(&(Tag::Noun, String::new())) => is_shouted(at),
        Some(_) => true,
        None if SPELLED.contains(&word) => is_shouted(at) && known(at.dictionary, &lower),
        None => known(at.dictionary, &lower) || !is_spelled(&lower),
    };
    match read {
        false if word.contains('\'') => Say::Word(lower),
        false => Say::Spell(word.into()),
        true if at.dictionary.get(word).is_some() => Say::Word(word.into()),
        true => Say::Word(lower),
    }
}

fn known(dictionary: &Dictionary, lower: &str) -> bool {
    dictionary.get(lower).is_some()
}

/// Whether the words around are in capitals, too.
fn is_shouted(at: &At) -> bool {
    let is_loud = |&k: &isize| {
        let capitals = at.word(k).filter(|word| word.len() > 2 && word.bytes().all(|byte| !byte.is_ascii_lowercase()));
        capitals.is_some_and(|word| known(at.dictionary, &word.to_ascii_lowercase()))
    };
    [-6, -4, -2, 2, 4, 6].iter().filter(|k| is_loud(k)).count() > 1
}

/// Whether letters that are no known word are better spelled: they are few, or can't be said.
fn is_spelled(lower: &str) -> bool {
    let is_vowel = |c: char| "aeiouy".contains(c);
    let run = |test: &dyn Fn(char) -> bool| lower.split(|c| !test(c)).map(str::len).max().unwrap_or(0);
    let onset: String = lower.chars().take_while(|&c| !is_vowel(c)).collect();
    lower.len() < 4
        || run(&|c| !is_vowel(c)) > 2
        || run(&is_vowel) > 2
        || run(&is_vowel) == 0
        || onset.len() > 1 && !ONSETS.contains(&onset.as_str())
        || lower.starts_with("aa")
}
