//! Amounts of money.

use super::number::Number;
use super::numerals::cardinal;
use super::spoken::Reading;
use crate::speech::phonemes::english::lexemes::At;

struct Currency {
    signs: &'static [&'static str],
    one: &'static str,
    several: &'static str,
    cent: &'static str,
    cents: &'static str,
}

const CURRENCIES: [Currency; 9] = [
    Currency { signs: &["$"], one: "dollar", several: "dollars", cent: "cent", cents: "cents" },
    Currency { signs: &["€", "EUR"], one: "euro", several: "euros", cent: "cent", cents: "cents" },
    Currency { signs: &["£", "GBP"], one: "pound", several: "pounds", cent: "penny", cents: "pence" },
    Currency { signs: &["¥", "JPY", "￥"], one: "yen", several: "yen", cent: "sen", cents: "sen" },
    Currency { signs: &["₹", "INR"], one: "rupee", several: "rupees", cent: "paisa", cents: "paise" },
    Currency { signs: &["₽", "RUB"], one: "ruble", several: "rubles", cent: "kopeck", cents: "kopecks" },
    Currency { signs: &["₩", "KRW"], one: "won", several: "won", cent: "jeon", cents: "jeon" },
    Currency { signs: &["CHF"], one: "Swiss franc", several: "Swiss francs", cent: "centime", cents: "centimes" },
    Currency { signs: &["USD"], one: "US dollar", several: "US dollars", cent: "cent", cents: "cents" },
];

/// Letters before a dollar sign, and the country.
const COUNTRIES: [(&str, &str); 7] = [
    ("US", "US"),
    ("A", "Australian"),
    ("AU", "Australian"),
    ("C", "Canadian"),
    ("CA", "Canadian"),
    ("NZ", "New Zealand"),
    ("HK", "Hong Kong"),
];

const SCALES: [(&str, &str); 12] = [
    ("thousand", "thousand"),
    ("million", "million"),
    ("billion", "billion"),
    ("trillion", "trillion"),
    ("k", "thousand"),
    ("K", "thousand"),
    ("m", "million"),
    ("M", "million"),
    ("mn", "million"),
    ("B", "billion"),
    ("bn", "billion"),
    ("T", "trillion"),
];

/// "$3.50", "-£5", "US$2 million", "5 €", "USD 50", "50 cents" as "50¢" is a unit.
pub fn read(at: &At) -> Option<Reading> {
    if !at.is_free() {
        return None;
    }
    Some(amount_of(at)?.to(at, amount_of))
}

fn amount_of(at: &At) -> Option<Reading> {
    sign_first(at).or_else(|| number_first(at))
}

fn currency(at: &At, k: isize) -> Option<&'static Currency> {
    let mark = at.mark(k).map(String::from);
    let sign = mark.as_deref().or(at.word(k))?;
    CURRENCIES.iter().find(|currency| currency.signs.contains(&sign))
}

fn sign_first(at: &At) -> Option<Reading> {
    let minus = isize::from(matches!(at.mark(0), Some('-')));
    let mut k = minus;
    let country =
        at.word(k).and_then(|word| COUNTRIES.iter().find(|(short, _)| *short == word && at.is_mark(k + 1, '$')));
    k += isize::from(country.is_some());
    let currency = currency(at, k)?;
    let letters = at.word(k).is_some();
    k += 1 + if letters { at.blank(k + 1) } else { 0 };
    let number = Number::read(&At { lexemes: &at.lexemes[at.i + usize::try_from(k).ok()?..], i: 0, ..*at }, 0)?;
    let reading = amount(at, k + number.n, &number, currency, country.map(|country| country.1), minus == 1)?;
    // "$20/month".
    let end = reading.n;
    match at.is_mark(end, '/') && at.word(end + 1).is_some() {
        true => Some(reading.plus(1).and("per")),
        false => Some(reading),
    }
}

fn number_first(at: &At) -> Option<Reading> {
    let number = Number::read(at, 0)?;
    let sign = number.n + at.blank(number.n);
    let currency = currency(at, sign).filter(|_| !at.is_mark(sign, '$') && !at.is_letter_or_digit(sign + 1))?;
    let reading = amount(at, number.n, &number, currency, None, false)?;
    Some(Reading { n: sign + 1, ..reading })
}

/// `n`: lexemes up to the end of the number.
fn amount(
    at: &At,
    n: isize,
    number: &Number,
    currency: &Currency,
    country: Option<&str>,
    minus: bool,
) -> Option<Reading> {
    let country = country.map(|country| format!("{country} ")).unwrap_or_default();
    let scaled = |n: isize| {
        let word = at.word(n + at.blank(n))?;
        let (_, scale) = SCALES.iter().find(|(short, _)| *short == word)?;
        // Letters are glued to the number.
        (at.blank(n) == 0 || word.len() > 2).then_some((n + at.blank(n) + 1, *scale))
    };
    let minus = if minus { "minus " } else { "" };
    if let Some((end, scale)) = scaled(n) {
        return Some(money(end, &format!("{minus}{} {scale} {country}{}", number.amount(), currency.several)));
    }
    // "$5-10", "$5–$10".
    if matches!(at.mark(n), Some('-' | '–')) {
        let second = n + 1 + isize::from(self::currency(at, n + 1).is_some());
        let behind = At { i: at.i.checked_add_signed(second)?, ..*at };
        if let Some(to) = Number::read(&behind, 0).filter(|_| behind.digits(0).is_some()) {
            let end = second + to.n;
            let (end, scale) = scaled(end).map_or((end, String::new()), |(end, scale)| (end, format!(" {scale}")));
            let words = format!("{} to {}{scale} {country}{}", number.amount(), to.amount(), currency.several);
            return Some(money(end, &words));
        }
    }
    let words = match number.decimals.as_deref() {
        Some(cents) if cents.len() == 2 => {
            let of_cents = |cents: &str| {
                format!("{} {}", cardinal(cents), if cents == "01" { currency.cent } else { currency.cents })
            };
            let whole = || {
                format!(
                    "{} {country}{}",
                    cardinal(&number.whole),
                    if number.is_amount_one() { currency.one } else { currency.several }
                )
            };
            match (number.whole.trim_start_matches('0'), cents) {
                (_, "00") => whole(),
                ("", cents) => of_cents(cents),
                _ => format!("{} and {}", whole(), of_cents(cents)),
            }
        }
        _ if number.is_one() => format!("one {country}{}", currency.one),
        _ => {
            // A bill is of five dollar.
            let thing =
                matches!(at.word(n + at.blank(n)), Some("bill" | "bills" | "note" | "notes" | "coin" | "coins"));
            format!("{} {country}{}", number.amount(), if thing { currency.one } else { currency.several })
        }
    };
    Some(money(n, &format!("{minus}{words}")))
}

/// "US" is spelled.
fn money(n: isize, words: &str) -> Reading {
    match words.split_once("US ") {
        Some((before, after)) => Reading::words(n, before).and_spell("US").and(after),
        None => Reading::words(n, words),
    }
}
