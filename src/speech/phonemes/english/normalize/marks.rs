//! Marks: pauses that voices know, signs with a name, and what has no sound.

use super::MAX_LEXEMES;
use super::spoken::{Reading, Say};
use crate::speech::phonemes::english::lexemes::{At, Kind};

/// Signs that are words.
const NAMES: [(char, &str); 42] = [
    ('&', "and"),
    ('+', "plus"),
    ('=', "equals"),
    ('@', "at"),
    ('%', "percent"),
    ('‰', "per mille"),
    ('±', "plus or minus"),
    ('×', "times"),
    ('÷', "divided by"),
    ('≠', "is not equal to"),
    ('≈', "is about"),
    ('≤', "is at most"),
    ('≥', "is at least"),
    ('∞', "infinity"),
    ('√', "square root of"),
    ('∑', "sum"),
    ('∫', "integral"),
    ('∂', "partial"),
    ('§', "section"),
    ('¶', "paragraph"),
    ('©', "copyright"),
    ('®', "registered"),
    ('™', "trademark"),
    ('°', "degrees"),
    ('€', "euro"),
    ('£', "pound"),
    ('¥', "yen"),
    ('$', "dollar"),
    ('¢', "cent"),
    ('₹', "rupee"),
    ('→', "to"),
    ('←', "from"),
    ('²', "squared"),
    ('³', "cubed"),
    ('Ω', "ohm"),
    ('µ', "micro"),
    ('#', "hash"),
    ('/', "slash"),
    ('⁄', "over"),
    ('\\', "backslash"),
    ('<', "less than"),
    ('>', "greater than"),
];

/// Greek letters, small ones from α to ω.
const GREEK: [&str; 25] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
];

/// Words that begin with an apostrophe.
const ELISIONS: [&str; 16] = [
    "tis", "twas", "em", "cause", "til", "til", "n", "bout", "round", "gainst", "neath", "twill", "twere", "twould",
    "nother", "tween",
];

/// A mark: a word, a pause, nothing (an empty reading, for what joins words), or no reading, for what cannot be said.
pub fn read(at: &At) -> Option<Reading> {
    let mark = at.mark(0)?;
    let pause = |n, mark| Some(Reading { n, say: vec![Say::Mark(mark)] });
    let silent = |n| Some(Reading { n, say: Vec::new() });
    let run = (0..MAX_LEXEMES).take_while(|&k| at.is_mark(k, mark)).count() as isize;
    let glued = at.is_letter_or_digit(-1) && at.is_letter_or_digit(1);
    match mark {
        '.' if run > 1 => pause(run, '…'),
        // ".NET".
        '.' if at.word(1).is_some() && matches!(at.kind(-1), None | Some(Kind::Space)) => {
            Some(Reading::words(1, "dot"))
        }
        '+' if run == 2 && at.is_letter_or_digit(-1) => Some(Reading::words(2, "plus plus")),
        '#' if at.word(-1).is_some_and(|word| word.len() == 1) => Some(Reading::words(1, "sharp")),
        // "....", and several signs at an end: one says it.
        '!' | '?' | ',' | ';' | '—' | '…' => pause(run, mark),
        '.' | ':' | '“' | '”' | '(' | ')' => pause(1, mark),
        '[' | '{' => pause(1, '('),
        ']' | '}' => pause(1, ')'),
        '"' => pause(1, if opens(at) { '“' } else { '”' }),
        '-' if run > 1 => pause(run, '—'),
        '–' => pause(run, '—'),
        '-' if glued => silent(1),
        '-' if at.is_space(-1) && at.is_space(1) => match (number_behind(at, -2), number_behind(at, 2)) {
            (true, true) => Some(Reading::words(1, "minus")),
            _ => pause(1, '—'),
        },
        // "pre- and post-war".
        '-' if at.is_letter_or_digit(-1) || at.is_letter_or_digit(1) => silent(1),
        '\'' => apostrophe(at),
        '*' | '·'
            if number_behind(at, -2) && number_behind(at, 2) || at.digits(-1).is_some() && at.digits(1).is_some() =>
        {
            Some(Reading::words(1, "times"))
        }
        '/' if at.word(-1) == Some("and") && at.word(1) == Some("or") => silent(1),
        '^' if at.is_letter_or_digit(-1) => Some(match at.digits(1) {
            Some("2") => Reading::words(2, "squared"),
            Some("3") => Reading::words(2, "cubed"),
            _ => Reading::words(1, "to the power of"),
        }),
        '~' if at.digits(1).is_some() || at.is_mark(1, '$') => Some(Reading::words(1, "about")),
        '_' if glued => silent(1),
        _ if at.is_mark(1, mark) && !matches!(mark, '&' | '√') && NAMES.iter().any(|&(sign, _)| sign == mark) => {
            // Rows of signs are drawings.
            None
        }
        _ => greek(mark).map(|name| Reading::words(1, name)).or_else(|| {
            let before_number = matches!(mark, '<' | '>' | '#').then(|| at.digits(1 + at.blank(1)).is_some());
            let (_, name) = NAMES.iter().find(|&&(sign, _)| sign == mark && before_number != Some(false))?;
            Some(Reading::words(1, name))
        }),
    }
}

/// Whether a number ends or begins at `k`.
fn number_behind(at: &At, k: isize) -> bool {
    at.digits(k).is_some() || at.word(k).is_some_and(|word| word.len() == 1)
}

/// Whether a quotation mark opens: it stands before a word and behind none.
fn opens(at: &At) -> bool {
    let free = matches!(at.kind(-1), None | Some(Kind::Space) | Some(Kind::Mark('(' | '—' | '–' | '-' | '“' | '\'')));
    free && at.kind(1).is_some_and(|kind| kind != Kind::Space)
}

/// Of a word, or a quotation mark.
fn apostrophe(at: &At) -> Option<Reading> {
    let behind_word = at.is_letter_or_digit(-1);
    if let Some(word) = at.word(1).filter(|_| !behind_word) {
        let lower = word.to_ascii_lowercase();
        // A word that is cut at its front, and not a quotation of one word.
        if lower == "n" {
            let both = at.is_mark(2, '\'');
            return Some(Reading::words(if both { 3 } else { 2 }, "'n'"));
        }
        let known = |word: &str| at.dictionary.get(&format!("'{word}")).is_some();
        let elided = [word, lower.as_str()].into_iter().find(|word| known(word) || ELISIONS.contains(word));
        if let Some(word) = elided.filter(|_| !at.is_mark(2, '\'')) {
            return Some(Reading::words(2, &format!("'{word}")));
        }
        return Some(Reading { n: 1, say: vec![Say::Mark('“')] });
    }
    if behind_word && is_quoted(at) {
        return Some(Reading { n: 1, say: vec![Say::Mark('”')] });
    }
    // "dogs'", "runnin'": it is part of the word.
    if behind_word {
        return Some(Reading { n: 1, say: Vec::new() });
    }
    Some(Reading { n: 1, say: vec![Say::Mark(if opens(at) { '“' } else { '”' })] })
}

/// Whether a quotation in single marks is open.
fn is_quoted(at: &At) -> bool {
    let mut open = false;
    // A quotation of more lexemes than these closes unseen.
    let start = at.i.saturating_sub(200);
    for i in start..at.i {
        let place = At { i, ..*at };
        if place.is_mark(0, '\'') {
            let elision = place.word(1).is_some_and(|word| ELISIONS.contains(&word.to_ascii_lowercase().as_str()));
            if !place.is_letter_or_digit(-1) && place.word(1).is_some() && !elision {
                open = true;
            } else if place.is_letter_or_digit(-1)
                && !place.is_letter_or_digit(1)
                && open
                && place.word(-1).is_none_or(|word| !word.ends_with('s'))
            {
                open = false;
            }
        }
    }
    open
}

fn greek(mark: char) -> Option<&'static str> {
    // Small letters have the numbers of capitals, and 32 more.
    let number = u32::from(mark) + if ('Α'..='Ω').contains(&mark) { 32 } else { 0 };
    let index = number.checked_sub(u32::from('α'))?;
    GREEK.get(index as usize).copied().filter(|_| mark != 'Ω')
}
