//! Abbreviations with a dot.

use super::numerals::cardinal;
use super::spoken::Reading;
use super::{MAX_LEXEMES, roman};
use crate::speech::phonemes::english::lexemes::At;

/// Before a name.
const TITLES: [(&str, &str); 27] = [
    ("Dr", "doctor"),
    ("Mr", "mister"),
    ("Mrs", "missus"),
    ("Ms", "miz"),
    ("Prof", "professor"),
    ("Gen", "general"),
    ("Col", "colonel"),
    ("Capt", "captain"),
    ("Lt", "lieutenant"),
    ("Sgt", "sergeant"),
    ("Maj", "major"),
    ("Cpl", "corporal"),
    ("Cmdr", "commander"),
    ("Adm", "admiral"),
    ("Sen", "senator"),
    ("Rep", "representative"),
    ("Gov", "governor"),
    ("Pres", "president"),
    ("Rev", "reverend"),
    ("Hon", "honorable"),
    ("Fr", "father"),
    ("St", "saint"),
    ("Ste", "saint"),
    ("Mt", "mount"),
    ("Ft", "fort"),
    ("Supt", "superintendent"),
    ("Insp", "inspector"),
];

/// Behind a name.
const BEHIND_NAMES: [(&str, &str); 16] = [
    ("Jr", "junior"),
    ("Sr", "senior"),
    ("Inc", "incorporated"),
    ("Corp", "corporation"),
    ("Ltd", "limited"),
    ("Co", "company"),
    ("Bros", "brothers"),
    ("St", "street"),
    ("Dr", "drive"),
    ("Ave", "avenue"),
    ("Blvd", "boulevard"),
    ("Rd", "road"),
    ("Ln", "lane"),
    ("Hwy", "highway"),
    ("Pkwy", "parkway"),
    ("Esq", "Esq."),
];

/// Before a number.
const BEFORE_NUMBERS: [(&str, &str); 22] = [
    ("no", "number"),
    ("nos", "numbers"),
    ("p", "page"),
    ("pp", "pages"),
    ("vol", "volume"),
    ("vols", "volumes"),
    ("ch", "chapter"),
    ("chap", "chapter"),
    ("fig", "figure"),
    ("figs", "figures"),
    ("eq", "equation"),
    ("sec", "section"),
    ("art", "article"),
    ("ed", "edition"),
    ("ca", "circa"),
    ("c", "circa"),
    ("ver", "version"),
    ("v", "version"),
    ("apt", "apartment"),
    ("rm", "room"),
    ("ext", "extension"),
    ("tel", "telephone"),
];

/// Anywhere.
const PLAIN: [(&str, &str); 28] = [
    ("wwi", "World War one"),
    ("wwii", "World War two"),
    ("etc", "et cetera"),
    ("vs", "versus"),
    ("approx", "approximately"),
    ("dept", "department"),
    ("univ", "university"),
    ("assn", "association"),
    ("assoc", "association"),
    ("govt", "government"),
    ("gov't", "government"),
    ("intl", "international"),
    ("natl", "national"),
    ("est", "established"),
    ("cf", "compare"),
    ("viz", "namely"),
    ("max", "maximum"),
    ("ave", "avenue"),
    ("blvd", "boulevard"),
    ("incl", "including"),
    ("excl", "excluding"),
    ("misc", "miscellaneous"),
    ("temp", "temperature"),
    ("attn", "attention"),
    ("jan", "January"),
    ("esp", "especially"),
    ("resp", "respectively"),
    ("tel", "telephone"),
];

/// Those that are clear without a dot.
const DOTLESS: [&str; 14] =
    ["WWI", "WWII", "Dr", "Mr", "Mrs", "Ms", "etc", "vs", "Sgt", "Jr", "Sr", "Ltd", "approx", "Blvd"];

/// Whether a word is an abbreviation wherever it stands.
pub fn is_clear(word: &str) -> bool {
    DOTLESS.contains(&word)
}

fn find<'a>(table: &[(&str, &'a str)], word: &str) -> Option<&'a str> {
    table.iter().find(|(short, _)| *short == word).map(|(_, long)| *long)
}

fn is_capital(word: Option<&str>) -> bool {
    word.is_some_and(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Whether the sentence ends where an abbreviation's dot lies before `k`: the text ends, or a capital follows.
pub fn ends_sentence(at: &At, k: isize) -> bool {
    let closers = (k..).take(4).take_while(|&k| matches!(at.mark(k), Some('"' | '”' | ')' | '\''))).count() as isize;
    let k = k + closers;
    match at.kind(k) {
        None => true,
        Some(_) if at.is_space(k) => {
            at.blank(k) == 0
                || is_capital(at.word(k + 1))
                || at.kind(k + 1).is_none()
                || matches!(at.mark(k + 1), Some('"' | '“'))
        }
        _ => false,
    }
}

/// Whether the dot behind the word at `k` belongs to it, for the ends of sentences.
pub fn is_abbreviation(at: &At, k: isize) -> bool {
    let Some(word) = at.word(k) else { return false };
    let lower = word.to_ascii_lowercase();
    let next = k + 1 + isize::from(at.is_mark(k + 1, '.'));
    let capital = is_capital(at.word(next + at.blank(next)));
    let number = at.digits(next + at.blank(next)).is_some();
    find(&TITLES, word).is_some() && capital
        || find(&BEFORE_NUMBERS, &lower).is_some() && number
        || (find(&PLAIN, &lower).is_some() || find(&BEHIND_NAMES, word).is_some()) && !ends_sentence(at, next)
        || word.len() == 1 && word != "I" && (capital || at.is_mark(k - 1, '.'))
        || at.is_mark(k - 1, '.') && at.word(k - 2).is_some_and(|word| word.len() < 3) && !ends_sentence(at, next)
}

pub fn read(at: &At) -> Option<Reading> {
    if at.is_letter_or_digit(-1) {
        return None;
    }
    let word = at.word(0)?;
    latin(at).or_else(|| initials(at, word)).or_else(|| dotted(at, word))
}

/// "e.g.", "i.e.", "et al.", "w/o".
fn latin(at: &At) -> Option<Reading> {
    if at.word(0) == Some("w") && at.is_mark(1, '/') && at.is_space(2) {
        return Some(Reading::words(2, "with"));
    }
    let letters = (at.word(0)?, at.mark(1)?, at.word(2)?);
    let words = match letters {
        ("e" | "E", '.', "g") => "for example",
        ("i" | "I", '.', "e") => "that is",
        ("c" | "C", '/', "o") if !at.is_mark(3, '/') => return Some(Reading::words(3, "care of")),
        ("w" | "W", '/', "o") if !at.is_mark(3, '/') => return Some(Reading::words(3, "without")),
        ("w", '/', _) => return Some(Reading::words(2, "with")),
        _ => return None,
    };
    Some(Reading::words(3 + isize::from(at.is_mark(3, '.')), words))
}

/// "U.S.A.", "J.R.R.", "Ph.D.", and a single initial before a name.
fn initials(at: &At, word: &str) -> Option<Reading> {
    let mut letters = String::new();
    let mut n = 0;
    let fits = |part: &&str| part.len() < 3 && part.starts_with(|c: char| c.is_ascii_uppercase() || word.len() == 1);
    while let Some(part) = at.word(n).filter(fits).filter(|_| n < MAX_LEXEMES && at.is_mark(n + 1, '.')) {
        letters += part;
        n += 2;
    }
    // The last one can do without a dot: "U.S".
    if let Some(part) = at.word(n).filter(fits).filter(|part| n > 0 && part.len() == 1) {
        letters += part;
        n += 1;
    }
    match n {
        2 => {
            // "J. Smith", "Harry S. Truman".
            let name = word.len() == 1 && word != "I" && is_capital(at.word(2 + at.blank(2))) && is_capital(Some(word));
            let first = name
                && (!at.is_space(-1) || at.word_before().is_some_and(|word| is_capital(Some(word)) || word.len() < 4));
            first.then(|| Reading::spell(2, &letters.to_ascii_uppercase()))
        }
        n if n > 2 => {
            // "www.x" and "a.b" are no initials.
            let lower = letters.chars().all(|c| c.is_ascii_lowercase());
            if lower && !at.is_mark(n - 1, '.') || at.is_letter_or_digit(n) {
                return None;
            }
            let possessive = at.is_mark(n, '\'') && at.word(n + 1) == Some("s");
            let letters = letters.to_ascii_uppercase() + if possessive { "s" } else { "" };
            let n = n + if possessive { 2 } else { 0 };
            let ends = at.is_mark(n - 1, '.') && ends_sentence(at, n) && !is_name_behind(at, n);
            let reading = Reading::spell(n, &letters);
            Some(if ends { reading.and_mark('.') } else { reading })
        }
        _ => None,
    }
}

/// Whether what follows goes on with the sentence in spite of its capital: "U.S. Army", "J.R.R. Tolkien".
fn is_name_behind(at: &At, k: isize) -> bool {
    at.blank(k) == 1 && at.word(k + 1).is_some_and(|word| !SENTENCE_STARTS.contains(&word))
}

/// Words with which a sentence is likely to begin.
const SENTENCE_STARTS: [&str; 40] = [
    "The", "A", "An", "In", "It", "He", "She", "They", "We", "You", "I", "This", "That", "These", "Those", "But",
    "And", "Or", "So", "If", "When", "While", "As", "At", "On", "For", "From", "There", "Then", "His", "Her", "Their",
    "Our", "My", "What", "How", "Why", "Who", "No", "Not",
];

fn dotted(at: &At, word: &str) -> Option<Reading> {
    let dot = at.is_mark(1, '.');
    if !dot && !is_clear(word) {
        return None;
    }
    let n = 1 + isize::from(dot);
    let next = n + at.blank(n);
    let lower = word.to_ascii_lowercase();
    let capital_next = is_capital(at.word(next)) && next > n;
    let name_before = is_capital(at.word_before())
        || at.is_space(-1) && at.is_mark(-2, '&')
        || at.is_mark(-1, ',')
        || at.is_space(-1) && at.is_mark(-2, ',');
    let street = matches!(word, "St" | "Dr") && name_before && is_capital(at.word_before());
    let street = street && (!capital_next || at.i > 3 && at.digits(-4).is_some());
    if let Some(title) = find(&TITLES, word).filter(|_| capital_next && !street && at.blank(n) == 1) {
        return Some(Reading::words(n, title));
    }
    // "Vol. II".
    if let Some(long) = find(&BEFORE_NUMBERS, &lower).filter(|_| dot)
        && let Some(number) = at.word(next).filter(|_| !at.is_mark(next + 1, '.')).and_then(roman::value)
    {
        return Some(Reading::words(next + 1, &format!("{long} {}", cardinal(&number.to_string()))));
    }
    let long = find(&BEHIND_NAMES, word)
        .filter(|_| name_before || at.is_space(-1) && at.word(-2).is_some())
        .or_else(|| find(&BEFORE_NUMBERS, &lower).filter(|_| at.digits(next).is_some() && dot))
        .or_else(|| find(&PLAIN, &lower).filter(|_| dot || is_clear(word)))
        // "doctor" stands alone, too.
        .or_else(|| find(&TITLES[..4], word).filter(|_| dot || !capital_next))?;
    // "no." and "art." end sentences more often than they stand for a word.
    let reading = Reading::words(n, long);
    Some(if dot && ends_sentence(at, n) { reading.and_mark('.') } else { reading })
}
