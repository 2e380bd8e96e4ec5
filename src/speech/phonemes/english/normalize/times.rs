//! Times of day.

use super::numerals::cardinal;
use super::spoken::Reading;
use crate::speech::phonemes::english::lexemes::At;

/// "5:30 p.m.", "9am-5pm", "3h45m".
pub fn read(at: &At) -> Option<Reading> {
    duration(at).or_else(|| Some(time(at)?.to(at, time)))
}

/// "3h45m".
fn duration(at: &At) -> Option<Reading> {
    let (hours, minutes) = (at.digits(0).filter(|_| at.is_free() && at.word(1) == Some("h"))?, at.digits(2)?);
    let fits = matches!(at.word(3), None | Some("m" | "min"));
    let unit =
        |digits: &str, name: &str| format!("{} {name}{}", cardinal(digits), if digits == "1" { "" } else { "s" });
    let n = 3 + isize::from(at.word(3).is_some());
    fits.then(|| Reading::words(n, &format!("{} {}", unit(hours, "hour"), unit(minutes, "minute"))))
}

/// "17:05", "10:00", "5pm", "12:00:30".
fn time(at: &At) -> Option<Reading> {
    let hour =
        at.digits(0).filter(|digits| at.is_free() && digits.len() < 3 && digits.parse::<u32>().unwrap_or(99) < 25)?;
    let minute = at.digits(2).filter(|minute| at.is_mark(1, ':') && minute.len() == 2 && *minute < "60");
    let Some(minute) = minute else {
        // Without minutes, only half of a day tells that it is a time.
        return half_of_day(at, 1).map(|half| Reading::words(0, &cardinal(hour)).then(half));
    };
    let second = at.digits(4).filter(|second| at.is_mark(3, ':') && second.len() == 2);
    let n = if second.is_some() { 5 } else { 3 };
    let half = half_of_day(at, n);
    let small = |digits: &str| match digits.strip_prefix('0') {
        Some(digit) => format!("oh {}", cardinal(digit)),
        None => cardinal(digits),
    };
    let mut words = match (minute, half.is_some() || second.is_some()) {
        ("00", true) => cardinal(hour),
        ("00", false) if (1..=12).contains(&hour.parse::<u32>().ok()?) && !hour.starts_with('0') => {
            format!("{} o'clock", cardinal(hour))
        }
        ("00", false) => {
            format!("{} hundred", if hour.len() == 2 { small(hour).replace("oh zero", "zero") } else { cardinal(hour) })
        }
        _ => format!("{} {}", cardinal(hour), small(minute)),
    };
    if let Some(second) = second {
        words += &format!(" and {} second{}", cardinal(second), if second == "01" { "" } else { "s" });
    }
    Some(match half {
        Some(half) => Reading::words(0, &words).then(half),
        None => Reading::words(n, &words),
    })
}

/// "am" or "p.m." behind a time of `k` lexemes. The reading counts these, too.
fn half_of_day(at: &At, k: isize) -> Option<Reading> {
    let start = k + at.blank(k);
    let word = at.word(start)?;
    let letters = match word.to_ascii_lowercase().as_str() {
        "am" => "AM",
        "pm" => "PM",
        "a" | "p" if at.is_mark(start + 1, '.') && at.word(start + 2).is_some_and(|m| m.eq_ignore_ascii_case("m")) => {
            let letters = if word.eq_ignore_ascii_case("a") { "AM" } else { "PM" };
            let dotted = at.is_mark(start + 3, '.');
            // Its last dot can end the sentence, too.
            let ends = dotted && super::abbreviations::ends_sentence(at, start + 4);
            let reading = Reading::spell(start + 3 + isize::from(dotted), letters);
            return Some(if ends { reading.and_mark('.') } else { reading });
        }
        // "at 5 am I" is rare; "I am" has no number before it.
        _ => return None,
    };
    Some(Reading::spell(start + 1, letters))
}
