//! Dates.

use super::numerals::{cardinal, ordinal, year};
use super::spoken::Reading;
use crate::speech::phonemes::english::lexemes::At;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [(&str, &str); 11] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Tues", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Weds", "Wednesday"),
    ("Thu", "Thursday"),
    ("Thur", "Thursday"),
    ("Thurs", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];

pub fn read(at: &At) -> Option<Reading> {
    if !at.is_free() {
        return None;
    }
    let date = weekday(at).or_else(|| in_digits(at)).or_else(|| month_first(at)).or_else(|| day_first(at))?;
    Some(date.to(at, |at| weekday(at).or_else(|| month_first(at)).or_else(|| day_first(at))))
}

/// The month at `k`, and the lexemes of its name.
fn month(at: &At, k: isize) -> Option<(isize, &'static str)> {
    let word = at.word(k).filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))?;
    let is_month = |month: &&&str| **month == word || month.len() == word.len() && month.eq_ignore_ascii_case(word);
    if let Some(month) = MONTHS.iter().find(is_month) {
        return Some((1, month));
    }
    let short = word.len() == 3 || word == "Sept";
    let month = MONTHS.iter().find(|month| short && month.starts_with(word))?;
    Some((1 + isize::from(at.is_mark(k + 1, '.')), month))
}

/// A day of a month at `k`, with or without "st", "nd", "rd", "th".
fn day(at: &At, k: isize) -> Option<(isize, String)> {
    let digits = at.digits(k).filter(|digits| digits.len() < 3 && (1..=31).contains(&digits.parse().unwrap_or(0)))?;
    match at.word(k + 1) {
        Some("st" | "nd" | "rd" | "th") => Some((2, ordinal(digits))),
        None if !(at.is_mark(k + 1, ':') || at.is_mark(k + 1, '%')) => Some((1, ordinal(digits))),
        // "5 PM" is no day.
        _ => None,
    }
}

/// A year at `k`, over a comma and a blank.
fn year_behind(at: &At, k: isize) -> Option<(isize, String)> {
    let k = k + isize::from(at.is_mark(k, ','));
    let k = k + at.blank(k);
    let digits =
        at.digits(k).filter(|digits| digits.len() == 4 && !at.is_letter_or_digit(k + 1) && !at.is_mark(k + 1, ':'))?;
    Some((k + 1, year(digits)))
}

/// "Jan. 5th, 2024", "March 3-5", "May 1999", "Sept." before a number.
fn month_first(at: &At) -> Option<Reading> {
    let (n, month) = month(at, 0)?;
    let full = at.word(0).is_some_and(|word| word.len() == month.len());
    let next = n + at.blank(n);
    if let Some((days, ordinal)) = day(at, next).filter(|_| at.digits(next).is_some()) {
        let mut words = format!("{month} {ordinal}");
        let mut end = next + days;
        if matches!(at.mark(end), Some('-' | '–'))
            && let Some((days, last)) = day(at, end + 1)
        {
            words = format!("{words} to {last}");
            end += 1 + days;
        }
        let reading = Reading::words(end, &words);
        return Some(match year_behind(at, end) {
            // The comma before a year is a pause, as it is in speech.
            Some((n, year)) => Reading { n, ..reading }.and_mark(',').and(&year),
            None => reading,
        });
    }
    if let Some((n, year)) = year_behind(at, n).filter(|_| !at.is_mark(n, ',')) {
        return Some(Reading::words(n, &format!("{month} {year}")));
    }
    // "Jan" and "Mar" are names; with a dot they are months.
    let dotted = !full && at.is_mark(1, '.') && month != "May";
    (dotted && (at.blank(2) == 1 || at.is_mark(2, ','))).then(|| Reading::words(n, month))
}

/// "5 January 2024", "the 5th of May", "4 July".
fn day_first(at: &At) -> Option<Reading> {
    let digits = at.digits(0).filter(|digits| digits.len() < 3 && (1..=31).contains(&digits.parse().unwrap_or(0)))?;
    let suffix = matches!(at.word(1), Some("st" | "nd" | "rd" | "th"));
    let mut k = 1 + isize::from(suffix);
    k += if at.is_mark(k, '-') { 1 } else { at.blank(k) };
    let of = at.word(k) == Some("of");
    k += if of { 1 + at.blank(k + 1) } else { 0 };
    let (n, month) = month(at, k).filter(|_| k > 1)?;
    let the = if at.word_before().is_some_and(|word| word.eq_ignore_ascii_case("the")) { "" } else { "the " };
    let words = format!("{the}{} of {month}", ordinal(digits));
    let dash = isize::from(at.is_mark(k + n, '-') && at.digits(k + n + 1).is_some());
    Some(match year_behind(at, k + n + dash) {
        Some((n, year)) => Reading::words(n, &words).and_mark(',').and(&year),
        None => Reading::words(k + n, &words),
    })
}

/// "2024-01-05", "1/5/2024", "5.1.2024".
fn in_digits(at: &At) -> Option<Reading> {
    let (a, b, c) = (at.digits(0)?, at.digits(2)?, at.digits(4)?);
    let sign = at.mark(1).filter(|&sign| at.is_mark(3, sign))?;
    if at.is_letter_or_digit(5) || at.is_mark(5, sign) && at.is_letter_or_digit(6) {
        return None;
    }
    let lens = (a.len(), b.len(), c.len());
    let (year_digits, month, day) = match (sign, lens) {
        ('-' | '/' | '.', (4, 1..=2, 1..=2)) => (a, b, c),
        // American; a day above 12 tells otherwise.
        ('/' | '-', (1..=2, 1..=2, 4 | 2)) if sign == '/' || c.len() == 4 => match a.parse::<u32>().ok()? > 12 {
            true => (c, b, a),
            false => (c, a, b),
        },
        ('.', (1..=2, 1..=2, 4)) => (c, b, a),
        _ => return None,
    };
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    if !(1..=31).contains(&day.parse::<u32>().ok()?) {
        return None;
    }
    let year = match year_digits.len() {
        2 if year_digits.starts_with('0') => format!("two thousand {}", cardinal(year_digits)),
        2 if year_digits < "50" => format!("twenty {}", cardinal(year_digits)),
        2 => format!("nineteen {}", cardinal(year_digits)),
        _ => year(year_digits),
    };
    Some(Reading::words(5, &format!("{month} {}", ordinal(day))).and_mark(',').and(&year))
}

/// "Mon." and the like, before what belongs to a date.
fn weekday(at: &At) -> Option<Reading> {
    let word = at.word(0)?;
    let (_, day) = WEEKDAYS.iter().find(|(short, _)| *short == word)?;
    let n = 1 + isize::from(at.is_mark(1, '.'));
    let next = n + isize::from(at.is_mark(n, ','));
    let next = next + at.blank(next);
    let name = |word: &str| WEEKDAYS.iter().any(|(short, _)| *short == word);
    let dash = |k: isize| matches!(at.mark(k), Some('-' | '–'));
    // "Mon–Fri".
    let in_range = dash(n) && at.word(n + 1).is_some_and(name) || dash(-1) && at.word(-2).is_some_and(name);
    let dated = in_range
        || month(at, next).is_some()
        || n == 2
            && (at.digits(next).is_some()
                || at.is_mark(2, ',')
                || matches!(at.word(next), Some("at" | "and" | "to" | "morning" | "night")));
    dated.then(|| Reading::words(n, day))
}
