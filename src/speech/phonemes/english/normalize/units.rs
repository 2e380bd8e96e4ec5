//! Units behind numbers.

use super::spoken::Reading;
use crate::speech::phonemes::english::lexemes::At;

/// What is written, one, several. Case counts: "mW" is no "MW".
const UNITS: [(&str, &str, &str); 108] = [
    ("nm", "nanometer", "nanometers"),
    ("µm", "micrometer", "micrometers"),
    ("mm", "millimeter", "millimeters"),
    ("cm", "centimeter", "centimeters"),
    ("m", "meter", "meters"),
    ("km", "kilometer", "kilometers"),
    ("ft", "foot", "feet"),
    ("yd", "yard", "yards"),
    ("yds", "yard", "yards"),
    ("mi", "mile", "miles"),
    ("µg", "microgram", "micrograms"),
    ("mcg", "microgram", "micrograms"),
    ("mg", "milligram", "milligrams"),
    ("g", "gram", "grams"),
    ("kg", "kilogram", "kilograms"),
    ("kgs", "kilogram", "kilograms"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("ml", "milliliter", "milliliters"),
    ("mL", "milliliter", "milliliters"),
    ("cl", "centiliter", "centiliters"),
    ("l", "liter", "liters"),
    ("L", "liter", "liters"),
    ("gal", "gallon", "gallons"),
    ("qt", "quart", "quarts"),
    ("tsp", "teaspoon", "teaspoons"),
    ("tbsp", "tablespoon", "tablespoons"),
    ("mph", "mile per hour", "miles per hour"),
    ("kph", "kilometer per hour", "kilometers per hour"),
    ("kmh", "kilometer per hour", "kilometers per hour"),
    ("Hz", "hertz", "hertz"),
    ("kHz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"),
    ("GHz", "gigahertz", "gigahertz"),
    ("THz", "terahertz", "terahertz"),
    ("kB", "kilobyte", "kilobytes"),
    ("KB", "kilobyte", "kilobytes"),
    ("MB", "megabyte", "megabytes"),
    ("GB", "gigabyte", "gigabytes"),
    ("TB", "terabyte", "terabytes"),
    ("PB", "petabyte", "petabytes"),
    ("KiB", "kibibyte", "kibibytes"),
    ("MiB", "mebibyte", "mebibytes"),
    ("GiB", "gibibyte", "gibibytes"),
    ("kbps", "kilobit per second", "kilobits per second"),
    ("Kbps", "kilobit per second", "kilobits per second"),
    ("Mbps", "megabit per second", "megabits per second"),
    ("Gbps", "gigabit per second", "gigabits per second"),
    ("mW", "milliwatt", "milliwatts"),
    ("W", "watt", "watts"),
    ("kW", "kilowatt", "kilowatts"),
    ("MW", "megawatt", "megawatts"),
    ("GW", "gigawatt", "gigawatts"),
    ("TW", "terawatt", "terawatts"),
    ("Wh", "watt hour", "watt hours"),
    ("kWh", "kilowatt hour", "kilowatt hours"),
    ("MWh", "megawatt hour", "megawatt hours"),
    ("mV", "millivolt", "millivolts"),
    ("V", "volt", "volts"),
    ("kV", "kilovolt", "kilovolts"),
    ("mA", "milliampere", "milliamperes"),
    ("mAh", "milliampere hour", "milliampere hours"),
    ("hp", "horsepower", "horsepower"),
    ("ns", "nanosecond", "nanoseconds"),
    ("µs", "microsecond", "microseconds"),
    ("ms", "millisecond", "milliseconds"),
    ("sec", "second", "seconds"),
    ("secs", "second", "seconds"),
    ("min", "minute", "minutes"),
    ("mins", "minute", "minutes"),
    ("h", "hour", "hours"),
    ("hr", "hour", "hours"),
    ("hrs", "hour", "hours"),
    ("yr", "year", "years"),
    ("yrs", "year", "years"),
    ("J", "joule", "joules"),
    ("kJ", "kilojoule", "kilojoules"),
    ("MJ", "megajoule", "megajoules"),
    ("cal", "calorie", "calories"),
    ("kcal", "kilocalorie", "kilocalories"),
    ("Pa", "pascal", "pascals"),
    ("hPa", "hectopascal", "hectopascals"),
    ("kPa", "kilopascal", "kilopascals"),
    ("MPa", "megapascal", "megapascals"),
    ("psi", "pound per square inch", "pounds per square inch"),
    ("dB", "decibel", "decibels"),
    ("N", "newton", "newtons"),
    ("K", "kelvin", "kelvins"),
    ("px", "pixel", "pixels"),
    ("MP", "megapixel", "megapixels"),
    ("fps", "frame per second", "frames per second"),
    ("rpm", "revolution per minute", "revolutions per minute"),
    ("bpm", "beat per minute", "beats per minute"),
    ("ppm", "part per million", "parts per million"),
    ("ppb", "part per billion", "parts per billion"),
    ("ha", "hectare", "hectares"),
    ("t", "ton", "tons"),
    ("s", "second", "seconds"),
    ("dpi", "dot per inch", "dots per inch"),
    ("mpg", "mile per gallon", "miles per gallon"),
    ("mol", "mole", "moles"),
    ("mmHg", "millimeter of mercury", "millimeters of mercury"),
    ("lm", "lumen", "lumens"),
    ("kΩ", "kilohm", "kilohms"),
    ("pt", "point", "points"),
    ("pts", "point", "points"),
    ("cc", "cubic centimeter", "cubic centimeters"),
];

/// Scales that stand behind a number as letters.
const GLUED_SCALES: [(&str, &str); 3] = [("bn", "billion"), ("mn", "million"), ("tn", "trillion")];

fn find(name: &str, one: bool) -> Option<&'static str> {
    let (_, singular, plural) = UNITS.iter().find(|(unit, ..)| *unit == name)?;
    Some(if one { singular } else { plural })
}

/// A unit's name at `k`, with "µ" and "Ω", which are no letters here.
fn name(at: &At, k: isize) -> Option<(isize, String)> {
    match (at.mark(k), at.word(k)) {
        (Some('µ'), _) => at.word(k + 1).map(|word| (2, format!("µ{word}"))),
        (_, Some("k")) if at.is_mark(k + 1, 'Ω') => Some((2, "kΩ".into())),
        (_, Some(word)) => Some((1, word.into())),
        _ => None,
    }
}

/// "²", "^2" or a glued "2" at `k`, and "³" in the same way.
fn power(at: &At, k: isize) -> Option<(isize, &'static str)> {
    let caret = isize::from(at.is_mark(k, '^'));
    let sign = match (at.mark(k + caret), at.digits(k + caret)) {
        (Some('²'), _) | (_, Some("2")) => "square",
        (Some('³'), _) | (_, Some("3")) => "cubic",
        _ => return None,
    };
    Some((caret + 1, sign))
}

/// Those that are no words, and need no number before them.
const CLEAR: [&str; 22] = [
    "km", "cm", "mm", "kg", "mg", "ml", "mph", "kHz", "MHz", "GHz", "MB", "GB", "TB", "KB", "kWh", "tsp", "tbsp", "yr",
    "yrs", "hrs", "lbs", "mmHg",
];

/// Whether a word is a unit wherever it stands.
pub fn is_clear(word: &str) -> bool {
    CLEAR.contains(&word)
}

/// A unit without a number: "several km", "$30k/yr".
pub fn alone(at: &At) -> Option<Reading> {
    let word = at.word(0).filter(|word| is_clear(word) && !at.is_letter_or_digit(1))?;
    let one = at.is_mark(-1, '/') || matches!(at.word_before(), Some("per" | "a" | "one" | "each"));
    find(word, one).map(|unit| Reading::words(1, unit))
}

/// What stands at `k`, behind a number of `k` lexemes. The reading counts these, too.
pub fn behind(at: &At, k: isize, one: bool) -> Option<Reading> {
    // Signs can stand apart: "20 °C", "5 %".
    let apart = at.blank(k) == 1 && matches!(at.mark(k + 1), Some('%' | '‰' | '°' | 'Ω'));
    let k = k + isize::from(apart);
    if let Some(mark) = at.mark(k) {
        let degree = if one { "degree" } else { "degrees" };
        let reading = match mark {
            '%' => Reading::words(k + 1, "percent"),
            '‰' => Reading::words(k + 1, "per mille"),
            'Ω' => Reading::words(k + 1, if one { "ohm" } else { "ohms" }),
            '¢' => Reading::words(k + 1, if one { "cent" } else { "cents" }),
            '°' => match at.word(k + 1 + at.blank(k + 1)) {
                Some("C") => Reading::words(k + 2 + at.blank(k + 1), &format!("{degree} Celsius")),
                Some("F") => Reading::words(k + 2 + at.blank(k + 1), &format!("{degree} Fahrenheit")),
                _ => Reading::words(k + 1, degree),
            },
            '\'' => return feet(at, k),
            '"' if !at.is_letter_or_digit(k + 1) && inches(at) => {
                Reading::words(k + 1, if one { "inch" } else { "inches" })
            }
            '×' | '*' | '/' | '÷' | '=' | '+' | '±' => return None,
            _ => return micro(at, k, one),
        };
        return Some(reading);
    }
    micro(at, k, one)
}

/// 5'10".
fn feet(at: &At, k: isize) -> Option<Reading> {
    let inches = at.digits(k + 1)?;
    let marks = match at.mark(k + 2)? {
        '"' | '”' => 1,
        '\'' if at.is_mark(k + 3, '\'') => 2,
        _ => return None,
    };
    let unit = if inches == "1" { "inch" } else { "inches" };
    Some(Reading::words(k + 2 + marks, &format!("feet {} {unit}", super::numerals::cardinal(inches))))
}

/// Whether a quotation mark behind a number means inches: no quotation is open.
fn inches(at: &At) -> bool {
    let before = at.lexemes[..at.i].iter().rev().take(200);
    before.filter(|lexeme| &at.text[lexeme.range.clone()] == "\"").count() % 2 == 0
}

/// A unit in letters, or with `µ`.
fn micro(at: &At, k: isize, one: bool) -> Option<Reading> {
    let blank = at.blank(k);
    let start = k + blank;
    let (n, name) = name(at, start)?;
    let mut end = start + n;
    if let Some((_, scale)) = GLUED_SCALES.iter().find(|(short, _)| *short == name) {
        return Some(Reading::words(end, scale));
    }
    // "5 in." and "sq ft", which are words else.
    if name == "in" && at.is_mark(end, '.') && !at.is_space(end + 1) || name == "in" && blank == 0 {
        return Some(Reading::words(end + isize::from(at.is_mark(end, '.')), if one { "inch" } else { "inches" }));
    }
    if matches!(name.as_str(), "sq" | "cu") {
        let end = end + isize::from(at.is_mark(end, '.'));
        let kind = if name == "sq" { "square" } else { "cubic" };
        let unit = at.word(end + at.blank(end)).and_then(|unit| match unit {
            "in" => Some("inches"),
            unit => find(unit, one),
        })?;
        return Some(Reading::words(end + at.blank(end) + 1, &format!("{kind} {unit}")));
    }
    // One letter apart from its number is a name as often as a unit.
    if blank == 1 && matches!(name.as_str(), "K" | "N" | "J" | "t" | "s" | "MP" | "pt") {
        return None;
    }
    // "80s" are years, "5G" and "4K" names.
    if blank == 0 && matches!(name.as_str(), "s" | "K" | "N" | "J") {
        return None;
    }
    let mut words = find(&name, one)?.to_owned();
    if let Some((n, kind)) = power(at, end) {
        words = format!("{kind} {words}");
        end += n;
    }
    if at.is_mark(end, '/')
        && let Some(per) = at.word(end + 1).and_then(|unit| if unit == "s" { Some("second") } else { find(unit, true) })
    {
        words = format!("{words} per {per}");
        end += 2;
        if let Some((n, kind)) = power(at, end) {
            words = if kind == "square" {
                format!("{words} squared")
            } else {
                words.replace(per, &format!("{kind} {per}"))
            };
            end += n;
        }
    }
    if at.is_letter_or_digit(end) {
        return None;
    }
    // The dot of "5 km." ends a sentence, that of "5 lbs. of" does not.
    let dot = at.is_mark(end, '.')
        && at.is_space(end + 1)
        && at.word(end + 2).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    Some(Reading::words(end + isize::from(dot), &words))
}
