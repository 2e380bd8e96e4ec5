//! Letters and digits in one: "COVID-19", "B2B", "3D", "iPhone15", "H2O".

use super::numerals::{code, plural};
use super::spoken::{Reading, Say};
use super::{MAX_LEXEMES, quantity, words};
use crate::speech::phonemes::english::lexemes::At;

pub fn read(at: &At) -> Option<Reading> {
    if at.is_letter_or_digit(-1) {
        return None;
    }
    let mut n = 0;
    let mut mixed = false;
    let (mut has_word, mut has_digits) = (false, false);
    loop {
        has_word |= at.word(n).is_some();
        has_digits |= at.digits(n).is_some();
        if n > MAX_LEXEMES || !at.is_letter_or_digit(n) {
            return None;
        }
        n += 1;
        let hyphen = isize::from(at.is_mark(n, '-') && at.is_letter_or_digit(n + 1));
        let other = at.word(n - 1).is_some() != at.word(n + hyphen).is_some();
        if hyphen == 0 && !at.is_letter_or_digit(n) {
            break;
        }
        mixed |= hyphen == 0 || other;
        n += hyphen;
    }
    // "twenty-one" is two words, "1-2" no code, and "20-year-old" a number before words.
    let glued = (0..n - 1).any(|k| at.is_letter_or_digit(k) && at.is_letter_or_digit(k + 1));
    let named = at.word(0).is_some() && has_digits;
    if !(mixed && has_word && has_digits && (glued || named)) {
        return None;
    }
    let versioned = matches!(at.word(0), Some("v" | "V")) && n == 2 && at.is_mark(2, '.');
    if versioned && let Some(number) = quantity::number(&At { i: at.i + 1, ..*at }) {
        return Some(Reading::words(1, "version").then(number));
    }
    let mut reading = Reading { n, say: Vec::new() };
    // "3x faster", and "2x + 1".
    let is_factor = at.blank(n) == 0 || at.word(n + 1).is_some_and(|word| word.len() > 1);
    for k in 0..n {
        match (at.word(k), at.digits(k)) {
            // "the 747s", "MP3s".
            (Some("s"), _) if at.digits(k - 1).is_some() => {
                if let Some(Say::Word(last)) = reading.say.last_mut() {
                    *last = plural(last);
                }
            }
            (Some(word @ ("st" | "nd" | "rd" | "th")), _) if at.digits(k - 1).is_some() => {
                reading.say.push(Say::Word(word.into()));
            }
            (Some("x"), _) if n == 3 && k == 1 => reading = reading.and("by"),
            (Some("x"), _) if n == 2 && k == 1 && is_factor => reading = reading.and("times"),
            (Some(word), _) if word.len() == 1 => reading = reading.and_spell(&word.to_ascii_uppercase()),
            // Formulas and models: "CO2", "MP3".
            (Some(word), _) if word.len() < 4 && word.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                reading = reading.and_spell(word)
            }
            (Some(word), _) => reading.say.extend(words::say(at, word)),
            (_, Some(part)) => reading.say.extend(digits(part)),
            _ => {}
        }
    }
    // "COVID-19's".
    if at.is_mark(n, '\'')
        && at.word(n + 1) == Some("s")
        && let Some(Say::Word(last)) = reading.say.last_mut()
    {
        *last += "'s";
        reading.n += 2;
    }
    Some(reading)
}

/// Digits of a code, as words.
pub fn digits(digits: &str) -> Vec<Say> {
    Reading::words(0, &code(digits)).say
}
