//! Digits to words.

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [&str; 12] = [
    "",
    "thousand",
    "million",
    "billion",
    "trillion",
    "quadrillion",
    "quintillion",
    "sextillion",
    "septillion",
    "octillion",
    "nonillion",
    "decillion",
];
/// Digits of a number that has a name.
const MAX_DIGITS: usize = 3 * SCALES.len();

fn push(words: &mut String, word: &str) {
    if !words.is_empty() {
        words.push(' ');
    }
    *words += word;
}

fn below_1000(n: usize) -> String {
    let mut words = String::new();
    if n >= 100 {
        push(&mut words, ONES[n / 100]);
        push(&mut words, "hundred");
    }
    match n % 100 {
        0 if n > 0 => {}
        n if n < 20 => push(&mut words, ONES[n]),
        n => {
            push(&mut words, TENS[n / 10]);
            if n % 10 > 0 {
                push(&mut words, ONES[n % 10]);
            }
        }
    }
    words
}

/// "1204" is "one thousand two hundred four". More than 36 digits are said one by one.
pub fn cardinal(digits: &str) -> String {
    let digits = digits.trim_start_matches('0');
    if digits.len() > MAX_DIGITS {
        return one_by_one(digits);
    }
    let mut words = String::new();
    let n_groups = digits.len().div_ceil(3);
    for group in 0..n_groups {
        let end = digits.len() - 3 * (n_groups - 1 - group);
        let n: usize = digits[end.saturating_sub(3)..end].parse().unwrap_or(0);
        if n > 0 {
            push(&mut words, &below_1000(n));
            push(&mut words, SCALES[n_groups - 1 - group]);
        }
    }
    if words.is_empty() { ONES[0].into() } else { words.trim_end().into() }
}

/// Each digit by itself.
pub fn one_by_one(digits: &str) -> String {
    let words: Vec<&str> = digits.bytes().map(|digit| ONES[usize::from(digit - b'0')]).collect();
    words.join(" ")
}

/// "21" is "twenty first".
pub fn ordinal(digits: &str) -> String {
    ordinal_of(&cardinal(digits))
}

/// Of the words of a number.
fn ordinal_of(words: &str) -> String {
    let (head, last) = words.rsplit_once(' ').map_or(("", words), |(head, last)| (head, last));
    let last = match last {
        "one" => "first".into(),
        "two" => "second".into(),
        "three" => "third".into(),
        "five" => "fifth".into(),
        "eight" => "eighth".into(),
        "nine" => "ninth".into(),
        "twelve" => "twelfth".into(),
        tens if tens.ends_with('y') => format!("{}ieth", &tens[..tens.len() - 1]),
        other => format!("{other}th"),
    };
    format!("{head} {last}").trim_start().into()
}

/// Two digits after others: "05" is "oh five", "40" is "forty".
pub fn pair(digits: &str) -> String {
    match digits.as_bytes() {
        [b'0', b'0'] => "hundred".into(),
        [b'0', digit @ b'1'..=b'9'] => format!("oh {}", ONES[usize::from(digit - b'0')]),
        _ => cardinal(digits),
    }
}

/// "1905" is "nineteen oh five", "2024" is "twenty twenty four", "2000" is "two thousand".
pub fn year(digits: &str) -> String {
    let Ok(n) = digits.parse::<u32>() else { return one_by_one(digits) };
    match digits.len() {
        4 if !(2000..2010).contains(&n) && n >= 1010 && n % 1000 != 0 => {
            format!("{} {}", cardinal(&digits[..2]), pair(&digits[2..]))
        }
        _ => cardinal(digits),
    }
}

/// Whether a number of four digits is said as a year. Other numbers of its size are said so, too: "fifteen hundred people".
pub fn is_year(digits: &str) -> bool {
    digits.len() == 4 && ("1010".."2100").contains(&digits)
}

/// Several of a number: "eighties", "sixes".
pub fn plural(words: &str) -> String {
    match words {
        _ if words.ends_with('y') => format!("{}ies", &words[..words.len() - 1]),
        _ if words.ends_with("six") => format!("{words}es"),
        _ => format!("{words}s"),
    }
}

/// A part of a whole: `(1, 2)` is "one half", `(3, 4)` is "three quarters". Larger parts are said as "over".
pub fn fraction(numerator: &str, denominator: &str) -> String {
    let (n, d) = (cardinal(numerator), denominator.trim_start_matches('0'));
    let name = match d {
        "2" => "half".into(),
        "4" => "quarter".into(),
        "3" | "5" | "6" | "7" | "8" | "9" | "10" | "12" | "16" | "20" | "32" | "50" | "64" | "100" | "1000" => {
            ordinal(d)
        }
        _ => return format!("{n} over {}", cardinal(denominator)),
    };
    match n.as_str() {
        "one" => format!("one {name}"),
        _ if name == "half" => format!("{n} halves"),
        _ => format!("{n} {name}s"),
    }
}

/// Digits of a code, as in "A320" or "x86": pairs while they are few.
pub fn code(digits: &str) -> String {
    match digits.len() {
        _ if digits.starts_with('0') => one_by_one(digits),
        1 | 2 => cardinal(digits),
        3 if digits.ends_with("00") => cardinal(digits),
        3 => format!("{} {}", cardinal(&digits[..1]), pair(&digits[1..])),
        4 if digits.ends_with("000") => cardinal(digits),
        4 => format!("{} {}", cardinal(&digits[..2]), pair(&digits[2..])),
        _ => one_by_one(digits),
    }
}
