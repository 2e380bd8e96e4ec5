//! Roman numerals, where it is sure that they are some.

use super::numerals::{cardinal, ordinal};
use super::spoken::Reading;
use crate::speech::phonemes::english::lexemes::At;

/// What is numbered: "Chapter IV" is "chapter four".
const NUMBERED: [&str; 34] = [
    "chapter", "part", "act", "volume", "vol", "book", "war", "bowl", "type", "phase", "class", "title", "section",
    "article", "appendix", "figure", "table", "level", "grade", "stage", "mark", "scene", "episode", "step", "unit",
    "factor", "tier", "schedule", "symphony", "sonata", "canto", "group", "category", "page",
];
/// Who is numbered: "Henry VIII" is "Henry the eighth".
const RULERS: [&str; 73] = [
    "Henry",
    "Louis",
    "George",
    "Edward",
    "Charles",
    "James",
    "William",
    "Richard",
    "John",
    "Paul",
    "Pius",
    "Elizabeth",
    "Mary",
    "Catherine",
    "Nicholas",
    "Alexander",
    "Peter",
    "Napoleon",
    "Philip",
    "Ferdinand",
    "Frederick",
    "Wilhelm",
    "Benedict",
    "Leo",
    "Gregory",
    "Clement",
    "Innocent",
    "Urban",
    "Francis",
    "Ivan",
    "Gustav",
    "Christian",
    "Carl",
    "Karl",
    "Alfonso",
    "Ramses",
    "Ramesses",
    "Ptolemy",
    "Cleopatra",
    "Darius",
    "Xerxes",
    "Constantine",
    "Theodosius",
    "Otto",
    "Leopold",
    "Isabella",
    "Haakon",
    "Harald",
    "Olav",
    "Margrethe",
    "Albert",
    "Harold",
    "Stephen",
    "Robert",
    "David",
    "Kenneth",
    "Mehmed",
    "Murad",
    "Selim",
    "Suleiman",
    "Mohammed",
    "Hassan",
    "Sixtus",
    "Julius",
    "Boniface",
    "Adrian",
    "Joseph",
    "Umberto",
    "Victor",
    "Emmanuel",
    "Wenceslas",
    "Casimir",
    "Sigismund",
];

/// The number, if the letters are its usual form.
pub fn value(word: &str) -> Option<u32> {
    const FORMS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let (mut rest, mut sum) = (word, 0);
    for (value, form) in FORMS {
        let max = if form.len() == 2 || form == "D" || form == "L" || form == "V" { 1 } else { 3 };
        for _ in 0..max {
            if let Some(behind) = rest.strip_prefix(form) {
                (rest, sum) = (behind, sum + value);
            }
        }
    }
    (rest.is_empty() && sum > 0).then_some(sum)
}

pub fn read(at: &At) -> Option<Reading> {
    let word = at.word(0).filter(|_| !at.is_letter_or_digit(1) && !at.is_letter_or_digit(-1))?;
    let (numeral, possessive) = word.strip_suffix("'s").map_or((word, ""), |numeral| (numeral, "'s"));
    let number = value(numeral)?.to_string();
    let before = at.word_before()?;
    if RULERS.contains(&before) && numeral.bytes().all(|byte| b"IVX".contains(&byte)) && numeral != "I" {
        return Some(Reading::words(1, &format!("the {}{possessive}", ordinal(&number))));
    }
    // "Elizabeth I" is a queen, "Elizabeth, I" and "Elizabeth I think" are not: the end of a clause tells.
    if RULERS.contains(&before) && numeral == "I" && !possessive.is_empty() {
        return Some(Reading::words(1, "the first's"));
    }
    let numbered = NUMBERED.contains(&before.to_ascii_lowercase().as_str());
    // "Part I" at its end, and not "the part I like".
    let single = before.starts_with(|c: char| c.is_ascii_uppercase())
        && !(numeral == "I"
            && at.blank(1) == 1
            && at.word(2).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase())));
    if numbered && (numeral.len() > 1 || single) {
        return Some(Reading::words(1, &format!("{}{possessive}", cardinal(&number))));
    }
    // "Rocky IV": a name's number. Of several letters, and no word.
    let named = before.starts_with(|c: char| c.is_ascii_uppercase())
        && before.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
    let sure = numeral.len() > 1 && numeral.bytes().all(|byte| b"IVX".contains(&byte));
    (named && sure && before.len() > 3).then(|| Reading::words(1, &format!("{}{possessive}", cardinal(&number))))
}
