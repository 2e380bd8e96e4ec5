//! Words among others: those that change before a vowel, and those that depend on what follows.

use std::borrow::Cow;

use super::lookup::Lookup;
use super::{VOWELS, heteronyms};
use crate::speech::phonemes::Source;
use crate::speech::phonemes::dictionary::Tag;

/// A word's place.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// All words in small letters. None is a pause; an empty one is a mark that does not pause.
    pub spoken: &'a [Option<Cow<'a, str>>],
    pub i: usize,
    /// The first sound behind it, before a pause.
    pub sound: Option<char>,
}

impl<'a> Context<'a> {
    /// The word `n` words before, in the same clause; an empty one where there is none.
    pub fn before(&self, n: usize) -> &'a str {
        Self::nth(self.spoken[..self.i].iter().rev(), n)
    }

    /// The word `n` words behind, in the same clause.
    pub fn after(&self, n: usize) -> &'a str {
        Self::nth(self.spoken[self.i + 1..].iter(), n)
    }

    fn nth(words: impl Iterator<Item = &'a Option<Cow<'a, str>>>, n: usize) -> &'a str {
        let mut clause = words.map_while(Option::as_deref).filter(|word| !word.is_empty());
        clause.nth(n - 1).unwrap_or("")
    }

    pub fn is_last(&self) -> bool {
        self.after(1).is_empty()
    }
}

/// A word's phonemes where it stands.
pub fn pronounce(lookup: &Lookup, word: &str, context: &Context) -> (String, Source) {
    let before_vowel = context.sound.map(|sound| VOWELS.contains(sound));
    let weak = match (word, before_vowel) {
        // None of them is longer.
        _ if word.len() > 4 => "",
        ("the" | "The" | "THE", Some(true)) => "ði",
        ("the" | "The" | "THE", _) => "ðə",
        ("a" | "A", Some(_)) => "ɐ",
        ("an" | "An" | "AN", Some(_)) => "ɐn",
        ("to" | "To" | "TO", Some(true)) => "tʊ",
        ("to" | "To" | "TO", Some(false)) => "tə",
        ("in" | "In" | "IN", None) => "ˈɪn",
        ("I", Some(_)) => "ˌI",
        ("used" | "Used", _) if context.after(1) == "to" && !heteronyms::is_verb_before(context.before(1)) => "jˈust",
        _ => "",
    };
    if !weak.is_empty() {
        return (weak.into(), Source::Dictionary);
    }
    if let Some(phonemes) = heteronyms::missing(word, context) {
        return (phonemes.into(), Source::Dictionary);
    }
    let found = lookup.find(word);
    let (entry, source) = (&found.0, found.1);
    if entry.variants.is_empty() {
        return (entry.phonemes.clone(), source);
    }
    let tags: &[Tag] = if context.is_last() && entry.variants.iter().any(|v| v.0 == Tag::Last) {
        &[Tag::Last]
    } else {
        heteronyms::tags(word, context)
    };
    let variant = tags.iter().find_map(|wanted| entry.variants.iter().find(|(tag, _)| tag == wanted));
    match variant {
        Some((_, phonemes)) if !phonemes.is_empty() => (phonemes.clone(), source),
        _ => (entry.phonemes.clone(), source),
    }
}
