//! Words with several pronunciations: which part of speech a word is, by the words around it.

use super::connected::Context;
use crate::speech::phonemes::dictionary::Tag;

const DETERMINERS: [&str; 34] = [
    "the", "a", "an", "this", "these", "those", "my", "your", "his", "her", "its", "our", "their", "no", "some", "any",
    "each", "every", "another", "what", "whose", "many", "few", "several", "all", "both", "such", "own", "first",
    "second", "last", "next", "new", "one",
];
/// A noun follows them.
const PREPOSITIONS: [&str; 18] = [
    "of", "in", "for", "with", "by", "from", "on", "at", "about", "without", "into", "under", "per", "against",
    "between", "after", "before", "through",
];
/// A verb without an ending follows them.
const BEFORE_VERBS: [&str; 42] = [
    "to",
    "will",
    "would",
    "can",
    "could",
    "shall",
    "should",
    "may",
    "might",
    "must",
    "do",
    "does",
    "did",
    "don't",
    "doesn't",
    "didn't",
    "won't",
    "wouldn't",
    "can't",
    "cannot",
    "couldn't",
    "shouldn't",
    "mustn't",
    "let's",
    "please",
    "i'll",
    "you'll",
    "he'll",
    "she'll",
    "we'll",
    "they'll",
    "it'll",
    "i'd",
    "you'd",
    "he'd",
    "she'd",
    "we'd",
    "they'd",
    "let",
    "help",
    "helps",
    "mightn't",
];
const SUBJECTS: [&str; 8] = ["i", "you", "we", "they", "who", "people", "men", "women"];
const SINGULAR_SUBJECTS: [&str; 6] = ["he", "she", "it", "who", "which", "everyone"];
const BE: [&str; 20] = [
    "is", "are", "was", "were", "be", "been", "being", "am", "isn't", "aren't", "wasn't", "weren't", "it's", "that's",
    "i'm", "he's", "she's", "we're", "they're", "you're",
];
const HAVE: [&str; 14] = [
    "have", "has", "had", "haven't", "hasn't", "hadn't", "i've", "you've", "we've", "they've", "having", "got", "get",
    "gets",
];
const OBJECTS: [&str; 8] = ["me", "him", "her", "it", "us", "them", "you", "myself"];
/// Small words that are neither nouns nor begin one.
const SMALL: [&str; 44] = [
    "and", "or", "but", "of", "in", "on", "at", "to", "for", "with", "by", "from", "as", "than", "that", "if", "when",
    "while", "is", "are", "was", "were", "be", "been", "has", "have", "had", "will", "would", "can", "could", "should",
    "may", "might", "must", "not", "so", "because", "up", "down", "out", "off", "who", "which",
];
const ADVERBS: [&str; 14] = [
    "not", "never", "always", "often", "also", "still", "just", "even", "only", "then", "now", "again", "ever",
    "already",
];

/// Whether a verb without an ending is to be expected behind a word.
pub fn is_verb_before(word: &str) -> bool {
    BEFORE_VERBS.contains(&word)
}

fn has(list: &[&str], word: &str) -> bool {
    list.contains(&word)
}

fn is_adverb(word: &str) -> bool {
    has(&ADVERBS, word) || word.len() > 4 && word.ends_with("ly")
}

/// A word that has a meaning of its own.
fn is_content(word: &str) -> bool {
    !word.is_empty() && !has(&SMALL, word) && !has(&DETERMINERS, word) && !has(&OBJECTS, word) && !has(&SUBJECTS, word)
}

/// A noun of several, by its ending.
fn is_plural(word: &str) -> bool {
    word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("'s") && !word.ends_with("us")
}

/// What a word can be where it stands, the likeliest first. An empty list: as it is said by itself.
pub fn tags(word: &str, at: &Context) -> &'static [Tag] {
    let word = word.to_ascii_lowercase();
    special(&word, at).unwrap_or_else(|| general(&word, at))
}

const NOUN: &[Tag] = &[Tag::Noun];
const VERB: &[Tag] = &[Tag::Verb];
const ADJECTIVE: &[Tag] = &[Tag::Adjective];
const PAST: &[Tag] = &[Tag::Past, Tag::Participle, Tag::Verb];

fn general(word: &str, at: &Context) -> &'static [Tag] {
    let (before, after) = (at.before(1), at.after(1));
    // An adverb can stand between.
    let head = if is_adverb(before) { at.before(2) } else { before };
    let ends_in_s = word.ends_with('s') && !word.ends_with("ss");
    if has(&BEFORE_VERBS, head) || has(&OBJECTS, before) && has(&["let", "make", "made", "help"], at.before(2)) {
        // "to records" are no verb.
        return if ends_in_s { NOUN } else { VERB };
    }
    if has(&SUBJECTS, head) && !ends_in_s || has(&SINGULAR_SUBJECTS, head) && ends_in_s {
        return VERB;
    }
    if has(&BE, head) || has(&HAVE, head) && !has(&DETERMINERS, before) {
        return &[Tag::Participle, Tag::Adjective];
    }
    if has(&SINGULAR_SUBJECTS, head) {
        return PAST;
    }
    // "Graduates separate the ...", "the company records the ...".
    let object = has(&DETERMINERS, after) || has(&OBJECTS, after);
    if object && is_content(before) && is_plural(before) != ends_in_s {
        return VERB;
    }
    let determiner =
        (1..=3).take_while(|&n| n == 1 || is_content(at.before(n - 1)) || has(&DETERMINERS, at.before(n - 1)));
    let determined = determiner.into_iter().any(|n| has(&DETERMINERS, at.before(n)) || at.before(n).ends_with("'s"));
    if determined {
        return if is_content(after) && !is_adverb(after) { &[Tag::Adjective, Tag::Noun] } else { NOUN };
    }
    if has(&PREPOSITIONS, before) {
        return NOUN;
    }
    if object || is_plural(before) && !ends_in_s && (after.is_empty() || has(&SMALL, after)) {
        return VERB;
    }
    if is_content(after) && before.is_empty() { ADJECTIVE } else { &[] }
}

fn special(word: &str, at: &Context) -> Option<&'static [Tag]> {
    let (before, after) = (at.before(1), at.after(1));
    let near = |words: &[&str]| (1..=3).any(|n| has(words, at.before(n)) || has(words, at.after(n)));
    Some(match word {
        "read" | "reread" => {
            let head = if is_adverb(before) { at.before(2) } else { before };
            let past =
                || (1..=8).any(|n| has(&["yesterday", "ago", "last", "once", "earlier", "that", "aloud"], at.after(n)));
            match head {
                _ if has(&HAVE, head) || has(&BE, head) => PAST,
                // "had him read", "to be read": no more than the nearest word is looked at.
                _ if has(&BEFORE_VERBS, head) || has(&DETERMINERS, head) || has(&PREPOSITIONS, head) => &[],
                "i" | "you" | "we" | "they" | "who" => {
                    if past() {
                        PAST
                    } else {
                        &[]
                    }
                }
                "he" | "she" | "it" => PAST,
                // "The boy read", "Pierre read".
                _ if is_content(head) && !is_plural(head) => PAST,
                _ => &[],
            }
        }
        "live" => match before {
            _ if has(&BEFORE_VERBS, before)
                || has(&SUBJECTS, before)
                || is_adverb(before) && is_verb_before(at.before(2)) =>
            {
                VERB
            }
            _ if has(&DETERMINERS, before) || has(&BE, before) || has(&["go", "goes", "went", "broadcast"], before) => {
                ADJECTIVE
            }
            _ if has(
                &["in", "on", "with", "there", "here", "at", "by", "under", "near", "together", "alone", "for"],
                after,
            ) =>
            {
                VERB
            }
            _ => &[],
        },
        "lives" => match before {
            _ if has(&SINGULAR_SUBJECTS, before) => VERB,
            _ if has(&["in", "on", "at", "with", "there", "here", "alone", "near"], after)
                && !has(&DETERMINERS, before) =>
            {
                VERB
            }
            _ => NOUN,
        },
        "close" | "closer" => match before {
            _ if has(&BEFORE_VERBS, before) || has(&SUBJECTS, before) => VERB,
            "the" if matches!(after, "of" | "") => NOUN,
            _ if before.is_empty() && (has(&DETERMINERS, after) || has(&OBJECTS, after)) => VERB,
            _ => ADJECTIVE,
        },
        "content" => {
            let feeling = has(&BE, before)
                || has(
                    &[
                        "feel",
                        "felt",
                        "very",
                        "quite",
                        "not",
                        "more",
                        "seemed",
                        "looked",
                        "himself",
                        "herself",
                        "perfectly",
                    ],
                    before,
                );
            let made = has(&OBJECTS, before) && has(&["made", "make", "makes", "kept", "keep"], at.before(2));
            if made || feeling && !matches!(after, "that") || matches!(after, "with" | "to") { ADJECTIVE } else { NOUN }
        }
        "minute" => {
            let small = has(&["very", "most", "extremely", "such", "in"], before)
                || has(
                    &[
                        "detail",
                        "details",
                        "amount",
                        "amounts",
                        "quantity",
                        "quantities",
                        "particles",
                        "changes",
                        "differences",
                        "traces",
                    ],
                    after,
                );
            if small { ADJECTIVE } else { &[] }
        }
        "bass" => {
            if has(&["sea", "striped", "largemouth", "smallmouth", "grilled"], before)
                || matches!(at.before(2), "caught" | "catch")
                || near(&["fish", "fishing"])
            {
                NOUN
            } else {
                ADJECTIVE
            }
        }
        "bow" | "bows" => match after {
            "to" | "before" | "down" | "out" => VERB,
            _ if has(&["take", "took", "taking"], at.before(2)) || matches!(before, "low") => VERB,
            _ => general(word, at),
        },
        "tear" | "tears" | "wind" | "winds" if has(&["up", "down", "apart", "off", "out", "through", "its"], after) => {
            VERB
        }
        "produce" if has(&["fresh", "local", "organic", "farm"], before) => NOUN,
        "use" if after == "of" || before == "of" => NOUN,
        "wound" if has(&["up", "down", "around", "round", "through"], after) || before == "tightly" => PAST,
        "that" => {
            let pointing =
                has(&PREPOSITIONS, before) || has(&["like", "than", "all", "do", "did", "is", "was", "does"], before);
            let starts = before.is_empty() && (has(&BE, after) || has(&BEFORE_VERBS, after));
            if pointing || starts { &[Tag::Determiner] } else { &[] }
        }
        _ => return None,
    })
}

/// A pronunciation that the dictionary does not have: the metal.
pub fn missing(word: &str, at: &Context) -> Option<&'static str> {
    let metal = || {
        has(
            &[
                "pipe",
                "pipes",
                "pencil",
                "pencils",
                "glass",
                "paint",
                "poisoning",
                "bullet",
                "bullets",
                "acid",
                "ore",
                "weight",
                "weights",
            ],
            at.after(1),
        ) || matches!(at.before(1), "molten" | "of") && at.is_last()
            || matches!(at.before(1), "unleaded")
    };
    (word.eq_ignore_ascii_case("lead") && metal()).then_some("lˈɛd")
}
