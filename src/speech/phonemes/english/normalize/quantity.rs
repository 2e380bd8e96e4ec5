//! Numbers with what they count: percentages, ordinals, fractions, ranges, units, decades, versions.

use super::number::Number;
use super::numerals::{cardinal, code, fraction, is_year, one_by_one, ordinal, pair, plural, year};
use super::spoken::Reading;
use super::units;
use crate::speech::phonemes::english::lexemes::At;

/// What begins with a number.
pub fn read(at: &At) -> Option<Reading> {
    if !at.is_free() {
        return None;
    }
    let reading =
        [decade, telephone, version, score, mixed, suffixed, range, measured].iter().find_map(|read| read(at))?;
    Some(reading.to(at, |at| suffixed(at).or_else(|| measured(at))))
}

/// "1980s", "'90s", "20s".
fn decade(at: &At) -> Option<Reading> {
    let quote = isize::from(at.is_mark(0, '\''));
    let digits = at.digits(quote)?;
    let n = match at.word(quote + 1) {
        Some("s") => 2,
        // "1980's".
        None if at.is_mark(quote + 1, '\'') && at.word(quote + 2) == Some("s") => 3,
        _ if quote == 1 && digits.len() == 2 && !at.is_letter_or_digit(2) => {
            let words = if digits.starts_with('0') { pair(digits) } else { cardinal(digits) };
            return Some(Reading::words(2, &words));
        }
        _ => return None,
    };
    let words = match (digits.len(), digits) {
        (_, "100") => "hundred".into(),
        (_, "1000") => "thousand".into(),
        (1 | 2, _) => cardinal(digits),
        (4, _) => year(digits),
        _ => return None,
    };
    Some(Reading::words(quote + n, &plural(&words)))
}

/// "555-1234", "(555) 123-4567", "1-800-555-0199", "+1 555 123 4567": digits one by one, with a pause between the groups.
fn telephone(at: &At) -> Option<Reading> {
    let plus = isize::from(at.is_mark(0, '+'));
    let mut n = plus;
    let mut groups: Vec<&str> = Vec::new();
    loop {
        let open = isize::from(at.is_mark(n, '('));
        let Some(digits) = at.digits(n + open).filter(|_| groups.len() < 8) else { break };
        n += open + 1;
        groups.push(digits);
        n += if open == 1 && at.is_mark(n, ')') { 1 } else { 0 };
        let joined = matches!(at.mark(n), Some('-' | '–' | '.')) || at.blank(n) == 1;
        let open = isize::from(at.is_mark(n + 1, '('));
        if at.digits(n + open).is_some() && open == 0 {
            continue;
        }
        match joined && at.digits(n + 1 + open).is_some() {
            true => n += 1,
            false => break,
        }
    }
    let lens: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let american = matches!(lens[..], [3, 4] | [3, 3, 4] | [1, 3, 3, 4]);
    let international = plus == 1 && groups.len() > 2 && (8..=15).contains(&lens.iter().sum::<usize>());
    if !(american || international) || at.is_letter_or_digit(n) || (lens == [3, 4] && !at.is_mark(n - 2, '-')) {
        return None;
    }
    let mut reading = Reading::words(n, if plus == 1 { "plus" } else { "" });
    for (i, group) in groups.iter().enumerate() {
        reading = if i == 0 { reading } else { reading.and_mark(',') };
        let hundreds = american && group.len() == 3 && group.ends_with("00") && !group.starts_with('0');
        reading = reading.and(&if hundreds { cardinal(group) } else { one_by_one(group) });
    }
    Some(reading)
}

/// "2.0.1" and "192.168.0.1": numbers with points.
fn version(at: &At) -> Option<Reading> {
    let mut parts = vec![at.digits(0)?];
    while parts.len() < 8 && at.is_mark(2 * parts.len() as isize - 1, '.') {
        let Some(part) = at.digits(2 * parts.len() as isize) else { break };
        parts.push(part);
    }
    let point = if parts.len() == 4 { " dot " } else { " point " };
    let words: Vec<String> = parts.iter().map(|part| number_of_version(part)).collect();
    (parts.len() > 2).then(|| Reading::words(2 * parts.len() as isize - 1, &words.join(point)))
}

fn number_of_version(digits: &str) -> String {
    if digits.len() > 1 && digits.starts_with('0') || digits.len() > 3 { one_by_one(digits) } else { cardinal(digits) }
}

/// "3:1" is a ratio; with two digits behind the colon it is a time.
fn score(at: &At) -> Option<Reading> {
    let (a, b) = (at.digits(0)?, at.digits(2)?);
    let fits = a.len().max(b.len()) < 4 && at.is_mark(1, ':') && !at.is_letter_or_digit(3) && !at.is_mark(3, ':');
    fits.then(|| Reading::words(3, &format!("{} to {}", cardinal(a), cardinal(b))))
}

/// "2 1/2", "3/4", "24/7".
fn mixed(at: &At) -> Option<Reading> {
    let slash = |k| matches!(at.mark(k), Some('/' | '⁄'));
    let part = |k: isize| {
        let (n, d) = (at.digits(k)?, at.digits(k + 2)?);
        let fits =
            slash(k + 1) && !slash(k + 3) && n.len() < 4 && d.len() < 5 && !matches!(at.word(k + 3), Some("th" | "s"));
        fits.then_some((n, d))
    };
    if at.blank(1) == 1
        && let (Some(whole), Some((n, d))) = (at.digits(0), part(2))
        && n.parse::<u32>().ok()? < d.parse::<u32>().ok()?
    {
        let words = match fraction(n, d) {
            words if words.starts_with("one ") && !words.contains("over") => {
                format!("{} {}", if words.starts_with("one eighth") { "an" } else { "a" }, &words[4..])
            }
            words => words,
        };
        let (reading, n) = (format!("{} and {words}", cardinal(whole)), 5);
        return Some(counted(at, n, &reading, false));
    }
    let (n, d) = part(0)?;
    let words = match (n, d) {
        ("24", "7") | ("9", "11") | ("50", "50") | ("20", "20") => {
            return Some(Reading::words(3, &format!("{} {}", cardinal(n), cardinal(d))));
        }
        _ => fraction(n, d),
    };
    // "1/4 tsp" is less than one.
    Some(counted(at, 3, &words, n.parse::<u32>().ok()? < d.parse::<u32>().ok()?))
}

/// Words of a number of `n` lexemes, with its unit.
fn counted(at: &At, n: isize, words: &str, one: bool) -> Reading {
    match units::behind(at, n, one) {
        Some(unit) => Reading::words(0, words).then(unit),
        None => Reading::words(n, words),
    }
}

/// "1st", "22nd": ordinals; "5th-century" begins with one.
fn suffixed(at: &At) -> Option<Reading> {
    let number = Number::read(at, 0).filter(|number| number.decimals.is_none() && !number.is_negative())?;
    let suffix = at.word(number.n)?;
    let fits = matches!(suffix.to_ascii_lowercase().as_str(), "st" | "nd" | "rd" | "th");
    fits.then(|| Reading::words(number.n + 1, &ordinal(&number.whole)))
}

/// "10–20", "1914-18", "5-10 km".
fn range(at: &At) -> Option<Reading> {
    let from = Number::read(at, 0).filter(|number| !number.is_negative())?;
    let sign = at.mark(from.n).map(|mark| (mark, 0)).or(at.mark(from.n + 1).map(|mark| (mark, at.blank(from.n))));
    let (dash, blank) = sign?;
    // With blanks, a hyphen is a minus; a dash stays a range.
    if !(dash == '–' || dash == '-' && blank == 0) {
        return None;
    }
    let second = from.n + 1 + 2 * blank;
    let digits = at.digits(second)?;
    let behind = At { i: at.i + second as usize, ..*at };
    let to = Number::read(&At { lexemes: &behind.lexemes[behind.i..], i: 0, ..behind }, 0)?;
    let n = second + to.n;
    if at.is_mark(n, '-') && at.digits(n + 1).is_some() {
        return None;
    }
    let years = from.is_plain() && to.is_plain() && is_year(&from.whole);
    let last = match digits.len() {
        2 if years => pair(digits),
        _ => to.alone(),
    };
    let words = format!("{} to {last}", if years { from.alone() } else { from.amount() });
    Some(counted(at, n, &words, false))
}

const SCALES: [&str; 5] = ["hundred", "thousand", "million", "billion", "trillion"];

/// Digits that nothing else could read.
pub fn rest(at: &At) -> Option<Reading> {
    at.digits(0).map(|digits| Reading::words(1, &code(digits)))
}

/// "2.0" or "2.0.1", behind "v".
pub fn number(at: &At) -> Option<Reading> {
    version(at).or_else(|| Number::read(at, 0).map(|number| Reading::words(number.n, &number.amount())))
}

/// A number, with or without a unit.
fn measured(at: &At) -> Option<Reading> {
    let number = Number::read(at, 0)?;
    if let Some(unit) = units::behind(at, number.n, number.is_one()) {
        return Some(Reading::words(0, &number.amount()).then(unit));
    }
    // "1.5 million km".
    let blank = at.blank(number.n);
    let scale = at.word(number.n + blank).filter(|scale| blank == 1 && SCALES.contains(scale));
    if let Some(scale) = scale
        && let Some(unit) = units::behind(at, number.n + 2, false)
    {
        return Some(Reading::words(0, &format!("{} {scale}", number.amount())).then(unit));
    }
    match at.word(number.n) {
        Some("x") if number.decimals.is_some() => {
            return Some(Reading::words(number.n + 1, &format!("{} times", number.amount())));
        }
        Some("M") => return Some(Reading::words(number.n + 1, &format!("{} million", number.amount()))),
        Some("B") => return Some(Reading::words(number.n + 1, &format!("{} billion", number.amount()))),
        // "3.0e8".
        Some("e" | "E") if number.decimals.is_some() => {
            let minus = isize::from(at.is_mark(number.n + 1, '-'));
            if let Some(power) = at.digits(number.n + 1 + minus) {
                let sign = if minus == 1 { "minus " } else { "" };
                let words = format!("{} times ten to the {sign}{}", number.amount(), cardinal(power));
                return Some(counted(at, number.n + 2 + minus, &words, false));
            }
        }
        // Digits that are glued to letters are a code, see `codes.rs`.
        Some(_) if number.decimals.is_none() => return None,
        _ => {}
    }
    Some(Reading::words(number.n, &number.alone()))
}
