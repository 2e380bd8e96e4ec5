//! Words made of others: endings with their sounds and spellings, prefixes, compounds, contractions.

use super::VOWELS;
use super::lookup::known;
use crate::speech::phonemes::dictionary::{Dictionary, Entry};

/// Letters of a word that is looked at. Longer ones are no words.
const MAX_LEN: usize = 48;

/// "-s" of a noun or a verb.
pub fn plural(stem: &str) -> String {
    match stem.chars().last() {
        Some('p' | 't' | 'k' | 'f' | 'θ') => format!("{stem}s"),
        Some('s' | 'z' | 'ʃ' | 'ʒ' | 'ʧ' | 'ʤ') => format!("{stem}ᵻz"),
        _ => format!("{stem}z"),
    }
}

fn past(stem: &str) -> String {
    match stem.chars().last() {
        Some('p' | 'k' | 'f' | 'θ' | 's' | 'ʃ' | 'ʧ') => format!("{stem}t"),
        Some('t' | 'T' | 'd') => format!("{}ᵻd", flapped(stem)),
        _ => format!("{stem}d"),
    }
}

/// A "t" between a vowel and an ending that begins with one is a flap.
fn flapped(stem: &str) -> String {
    let mut chars = stem.chars().rev();
    let flaps =
        chars.next() == Some('t') && chars.next().is_some_and(|before| VOWELS.contains(before) || before == 'ɹ');
    if flaps { format!("{}T", &stem[..stem.len() - 1]) } else { stem.to_owned() }
}

fn with_vowel(stem: &str, ending: &str) -> String {
    format!("{}{ending}", flapped(stem))
}

type Sound = fn(&str) -> String;

/// Endings: letters, what the stem's end is restored to, the sound. Tried in order.
const ENDINGS: [(&str, &[&str], Sound); 24] = [
    ("'s", &[""], plural),
    ("s'", &[""], plural),
    ("ies", &["y", "ie"], plural),
    ("es", &["", "e"], plural),
    ("s", &[""], plural),
    ("ied", &["y"], past),
    ("ed", &["", "e", "2"], past),
    ("ing", &["", "e", "2"], |stem| with_vowel(stem, "ɪŋ")),
    ("iest", &["y"], |stem| with_vowel(stem, "əst")),
    ("est", &["", "e", "2"], |stem| with_vowel(stem, "əst")),
    ("iers", &["y"], |stem| with_vowel(stem, "əɹz")),
    ("ers", &["", "e", "2"], |stem| with_vowel(stem, "əɹz")),
    ("ier", &["y"], |stem| with_vowel(stem, "əɹ")),
    ("er", &["", "e", "2"], |stem| with_vowel(stem, "əɹ")),
    ("ily", &["y"], |stem| format!("{}əli", &stem[..stem.len() - stem.chars().last().map_or(0, char::len_utf8)])),
    ("ly", &[""], |stem| format!("{}li", stem.strip_suffix('l').unwrap_or(stem))),
    ("iness", &["y"], |stem| format!("{stem}nəs")),
    ("ness", &[""], |stem| format!("{stem}nəs")),
    ("less", &[""], |stem| format!("{stem}ləs")),
    ("ful", &[""], |stem| format!("{stem}fᵊl")),
    ("ment", &[""], |stem| format!("{stem}mənt")),
    ("able", &["", "e", "2"], |stem| with_vowel(stem, "əbᵊl")),
    ("ish", &["", "e", "2"], |stem| with_vowel(stem, "ɪʃ")),
    ("like", &[""], |stem| format!("{stem}lˌIk")),
];

const CONTRACTIONS: [(&str, &str, &str); 6] = [
    ("'ll", "əl", "l"),
    ("'ve", "əv", "v"),
    ("'re", "əɹ", "ɹ"),
    ("'d", "əd", "d"),
    ("n't", "ᵊnt", "nt"),
    ("'m", "əm", "m"),
];

const PREFIXES: [(&str, &str); 28] = [
    ("counter", "kˌWntəɹ"),
    ("electro", "əlˌɛktɹO"),
    ("inter", "ˌɪntəɹ"),
    ("micro", "mˌIkɹO"),
    ("multi", "mˌʌlti"),
    ("hyper", "hˌIpəɹ"),
    ("super", "sˌupəɹ"),
    ("ultra", "ˌʌltɹə"),
    ("under", "ˌʌndəɹ"),
    ("trans", "tɹænz"),
    ("pseudo", "sˌudO"),
    ("crypto", "kɹˌɪptO"),
    ("nano", "nˌænO"),
    ("mega", "mˌɛɡə"),
    ("auto", "ˌɔTO"),
    ("anti", "ˌænti"),
    ("over", "ˌOvəɹ"),
    ("semi", "sˌɛmi"),
    ("post", "pˌOst"),
    ("mini", "mˌɪni"),
    ("non", "nˌɑn"),
    ("pre", "pɹˌi"),
    ("sub", "sˌʌb"),
    ("mis", "mˌɪs"),
    ("dis", "dˌɪs"),
    ("out", "ˌWt"),
    ("un", "ˌʌn"),
    ("re", "ɹˌi"),
];

/// Letters of the shortest part of a compound, and of a prefix's stem.
const MIN_PART: usize = 4;

pub fn derive(dictionary: &Dictionary, word: &str) -> Option<Entry> {
    if word.len() > MAX_LEN || !word.is_ascii() {
        return None;
    }
    // A stem can have an ending itself: "hashtaggers'".
    let stem = |stem: &str| known(dictionary, stem).or_else(|| inflected(stem, |stem| known(dictionary, stem)));
    inflected(word, stem)
        .or_else(|| elided(dictionary, word))
        .or_else(|| contraction(word, stem))
        .or_else(|| {
            name(word, |rest| stem(rest).map_or_else(|| dictionary.letter_to_sound(rest), |entry| entry.phonemes))
        })
        .or_else(|| prefixed(word, stem))
        .or_else(|| compound(dictionary, word))
        .or_else(|| possessive(dictionary, word))
}

fn map(entry: Entry, sound: impl Fn(&str) -> String) -> Entry {
    let variants = entry.variants.iter().filter(|(_, phonemes)| !phonemes.is_empty());
    Entry {
        variants: variants.map(|(tag, phonemes)| (*tag, sound(phonemes))).collect(),
        phonemes: sound(&entry.phonemes),
    }
}

/// A stem with an ending.
fn inflected(word: &str, stem: impl Fn(&str) -> Option<Entry>) -> Option<Entry> {
    let lower = word.to_ascii_lowercase();
    ENDINGS.iter().filter(|(ending, ..)| lower.ends_with(ending)).find_map(|(ending, restored, sound)| {
        let base = &word[..word.len() - ending.len()];
        // "bus" and "boss" have no ending; those with an apostrophe always have.
        let apostrophe = ending.contains('\'');
        if base.len() < if apostrophe { 1 } else { 3 } || *ending == "s" && base.ends_with(['s', 'u', 'i']) {
            return None;
        }
        let base = if *ending == "s'" { format!("{base}s") } else { base.to_owned() };
        let found = restored.iter().find_map(|restored| match *restored {
            "2" => {
                let bytes = base.as_bytes();
                let doubled = bytes.len() > 3 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2];
                doubled.then(|| stem(&base[..base.len() - 1])).flatten()
            }
            restored => stem(&format!("{base}{restored}")),
        });
        found.filter(|entry| entry.phonemes.chars().any(|c| VOWELS.contains(c)) || apostrophe).map(|entry| {
            // "boss'" sounds as "boss's"; a plural does not change.
            if *ending == "s'" { entry } else { map(entry, sound) }
        })
    })
}

/// "runnin'", which the dictionary has as "running".
fn elided(dictionary: &Dictionary, word: &str) -> Option<Entry> {
    let full = format!("{}g", word.strip_suffix('\'').filter(|stem| stem.ends_with("in"))?);
    known(dictionary, &full)
        .map(|entry| map(entry, |phonemes| phonemes.strip_suffix('ŋ').map_or(phonemes.to_owned(), |p| format!("{p}n"))))
}

fn contraction(word: &str, stem: impl Fn(&str) -> Option<Entry>) -> Option<Entry> {
    let (base, behind_consonant, behind_vowel) = CONTRACTIONS
        .iter()
        .find_map(|(ending, consonant, vowel)| Some((word.strip_suffix(ending)?, consonant, vowel)))?;
    let entry = stem(base)?;
    Some(map(entry, |phonemes| {
        let vowel = phonemes.ends_with(|c| VOWELS.contains(c));
        format!("{phonemes}{}", if vowel { behind_vowel } else { behind_consonant })
    }))
}

/// "McX", "O'X".
fn name(word: &str, sound: impl Fn(&str) -> String) -> Option<Entry> {
    let (rest, prefix) = match word.strip_prefix("Mc") {
        Some(rest) => (rest, "mək"),
        None => (word.strip_prefix("O'")?, "O"),
    };
    let phonemes = (rest.len() > 2).then(|| format!("{prefix}{}", sound(rest)))?;
    Some(Entry { phonemes, variants: Vec::new() })
}

fn prefixed(word: &str, stem: impl Fn(&str) -> Option<Entry>) -> Option<Entry> {
    let lower = word.to_ascii_lowercase();
    PREFIXES.iter().find_map(|(prefix, sound)| {
        let rest = lower.strip_prefix(prefix).filter(|rest| rest.len() >= MIN_PART)?;
        stem(rest).map(|entry| map(entry, |phonemes| format!("{sound}{phonemes}")))
    })
}

/// Two words as one: the first has the stress.
fn compound(dictionary: &Dictionary, word: &str) -> Option<Entry> {
    let lower = word.to_ascii_lowercase();
    let splits = (MIN_PART..(lower.len() + 1).saturating_sub(MIN_PART)).filter(|&at| lower.is_char_boundary(at));
    // The longest second part: it is the head.
    splits.into_iter().find_map(|at| {
        let (first, second) = lower.split_at(at);
        let (first, second) =
            (dictionary.get(first)?, dictionary.get(second).or_else(|| inflected(second, |s| dictionary.get(s)))?);
        let phonemes = format!("{}{}", first.phonemes, second.phonemes.replace('ˌ', "").replace('ˈ', "ˌ"));
        Some(Entry { phonemes, variants: Vec::new() })
    })
}

/// Of a word that nothing is known of.
fn possessive(dictionary: &Dictionary, word: &str) -> Option<Entry> {
    let base = word.strip_suffix("'s").or_else(|| word.strip_suffix("'S"))?;
    let phonemes = dictionary.letter_to_sound(base);
    (!phonemes.is_empty()).then(|| Entry { phonemes: plural(&phonemes), variants: Vec::new() })
}
