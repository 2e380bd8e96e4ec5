//! Addresses of pages and mail, hashtags, names with an at sign.

use super::spoken::{Reading, Say};
use super::{MAX_LEXEMES, codes, words};
use crate::speech::phonemes::english::lexemes::{At, Kind};

/// Ends of host names that are read as words; others are spelled.
const DOMAINS: [&str; 27] = [
    "com", "org", "net", "edu", "gov", "info", "io", "co", "ai", "dev", "app", "uk", "de", "fr", "ca", "us", "eu",
    "jp", "tv", "me", "html", "htm", "php", "pdf", "txt", "xyz", "js",
];
const SPOKEN_DOMAINS: [&str; 9] = ["com", "org", "net", "gov", "info", "dev", "app", "me", "co"];

pub fn read(at: &At) -> Option<Reading> {
    if at.is_letter_or_digit(-1) {
        return None;
    }
    tag(at).or_else(|| address(at))
}

/// "#tag", "@name", "#5".
fn tag(at: &At) -> Option<Reading> {
    let mark = at.mark(0).filter(|_| !matches!(at.mark(-1), Some('#' | '@' | '/')))?;
    let start = match (mark, at.kind(1)?) {
        ('#', Kind::Digits) if at.word(2).is_none() => return Some(Reading::words(1, "number")),
        ('#', Kind::Word | Kind::Digits) => Reading::words(1, "hashtag"),
        ('@', Kind::Word | Kind::Digits) => Reading::words(1, "at"),
        _ => return None,
    };
    let mut n = 1;
    while n < MAX_LEXEMES && (at.is_letter_or_digit(n) || at.is_mark(n, '_') && at.is_letter_or_digit(n + 1)) {
        n += 1;
    }
    Some(start.then(parts(at, 1, n)))
}

/// "https://example.com/a", "www.example.com", "example.org", "name@example.com".
fn address(at: &At) -> Option<Reading> {
    let is_part = |k: isize| at.is_letter_or_digit(k);
    let is_joint = |k: isize| {
        at.mark(k).is_some_and(|mark| "./:@-_?=&%#~+".contains(mark))
            && (is_part(k + 1) || at.is_mark(k, '/') || at.is_mark(k + 1, '/'))
    };
    if !is_part(0) {
        return None;
    }
    let mut n = 0;
    while n < MAX_LEXEMES && (is_part(n) || is_joint(n)) {
        n += 1;
    }
    let has = |mark: char| (0..n).any(|k| at.is_mark(k, mark));
    let scheme = at.is_mark(1, ':') && at.is_mark(2, '/') && at.is_mark(3, '/') && n > 4;
    let www = at.word(0).is_some_and(|word| word.eq_ignore_ascii_case("www")) && at.is_mark(1, '.');
    let mail = (1..n).any(|k| at.is_mark(k, '@')) && has('.');
    // The first word behind a dot that could be a host's end.
    let host_end = (0..n).find(|&k| !(is_part(k) || at.is_mark(k, '.') || at.is_mark(k, '-'))).unwrap_or(n);
    let domain = at.word(host_end - 1).filter(|_| at.is_mark(host_end - 2, '.') && at.word(host_end - 3).is_some());
    let host = domain.is_some_and(|domain| DOMAINS.contains(&domain))
        && (n > 3 || at.word(0).is_some_and(|word| word.len() > 1));
    if !(scheme || www || mail || host) {
        return None;
    }
    Some(parts(at, 0, n))
}

/// The lexemes from `k` up to `n`, marks by their names. The reading counts from `k`.
fn parts(at: &At, k: isize, n: isize) -> Reading {
    let mut reading = Reading { n: n - k, say: Vec::new() };
    for k in k..n {
        let name = match at.mark(k) {
            Some('.') => "dot",
            Some('/') => "slash",
            Some(':') => "colon",
            Some('@') => "at",
            Some('-') => "dash",
            Some('_') => "underscore",
            Some('?') => "question mark",
            Some('=') => "equals",
            Some('&') => "and",
            Some('%') => "percent",
            Some('#') => "hash",
            Some('~') => "tilde",
            Some('+') => "plus",
            _ => "",
        };
        let part = match (at.word(k), at.digits(k)) {
            (Some("www" | "WWW"), _) => vec![Say::Spell("WWW".into())],
            (Some(word), _) if at.is_mark(k - 1, '.') && DOMAINS.contains(&word) => {
                match SPOKEN_DOMAINS.contains(&word) {
                    true => vec![Say::Word(word.into())],
                    false => vec![Say::Spell(word.to_ascii_uppercase())],
                }
            }
            (Some(word), _) if matches!(word, "http" | "https" | "ftp") => vec![Say::Spell(word.to_ascii_uppercase())],
            (Some(word), _) => words::say(at, word),
            (_, Some(digits)) => codes::digits(digits),
            _ => Reading::words(0, name).say,
        };
        reading.say.extend(part);
    }
    reading
}
