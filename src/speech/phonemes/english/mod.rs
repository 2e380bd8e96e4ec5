//! English as it is spoken in America.

mod connected;
mod fold;
mod heteronyms;
mod lexemes;
mod lookup;
mod morphology;
pub(super) mod normalize;
mod sentences;

pub(super) use sentences::sentences;

use std::borrow::Cow;

use normalize::{Say, normalize};

use super::{Dictionary, Phonemized, Source, Word};
use connected::Context;
use lookup::Lookup;

/// Kokoro's vowels for American English. `A I O W Y` are its diphthongs; `ɐ` is that of "a".
pub const VOWELS: &str = "AIOWYiuæɑɔəɛɜɪʊʌᵊᵻɐ";
/// Kokoro's consonants. `T` is the flap of "water".
pub const CONSONANTS: &str = "bdfhjklmnpstvwzðŋɡɹTʃʒʤʧθ";

/// A spoken word, or a mark that pauses.
#[derive(Debug)]
enum Token {
    Word(Word),
    Mark { mark: char, spaced: bool },
}

pub(super) fn phonemize(text: &str, dictionary: &Dictionary) -> Phonemized {
    let mut tokens: Vec<Token> = Vec::new();
    let mut dropped = Vec::new();
    for part in normalize(text, dictionary) {
        let Some(say) = part.say else {
            dropped.push(part.range);
            continue;
        };
        for say in say {
            let (spoken, source) = match say {
                Say::Mark(mark) => {
                    tokens.push(Token::Mark { mark, spaced: part.spaced });
                    continue;
                }
                Say::Word(word) => (word, Source::Dictionary),
                Say::Spell(letters) => (letters, Source::Spelled),
            };
            tokens.push(Token::Word(Word { range: part.range.clone(), spoken, phonemes: String::new(), source }));
        }
    }
    pronounce(&mut tokens, dictionary);
    let phonemes = join(&tokens);
    let words = tokens.into_iter().filter_map(|token| match token {
        Token::Word(word) => Some(word),
        Token::Mark { .. } => None,
    });
    Phonemized { phonemes, words: words.collect(), dropped }
}

/// Fill in the phonemes, from the end: some words depend on the sound that follows.
fn pronounce(tokens: &mut [Token], dictionary: &Dictionary) {
    let spoken: Vec<Option<Cow<str>>> = tokens.iter().map(lower).collect();
    let lookup = Lookup::new(dictionary);
    let mut pronounced = Vec::with_capacity(tokens.len());
    let mut sound = None;
    for (i, token) in tokens.iter().enumerate().rev() {
        match token {
            Token::Word(word) => {
                let (phonemes, source) = match word.source {
                    Source::Spelled => (lookup::spell(dictionary, &word.spoken), Source::Spelled),
                    _ => connected::pronounce(&lookup, &word.spoken, &Context { spoken: &spoken, i, sound }),
                };
                sound = phonemes.chars().find(|c| !matches!(c, 'ˈ' | 'ˌ'));
                pronounced.push((phonemes, source));
            }
            Token::Mark { mark: '“' | '”' | '(', .. } => {}
            Token::Mark { .. } => sound = None,
        }
    }
    for token in tokens {
        if let Token::Word(word) = token
            && let Some(last) = pronounced.pop()
        {
            if word.source == Source::Spelled {
                word.spoken = spaced(&word.spoken);
            }
            (word.phonemes, word.source) = last;
        }
    }
}

/// A word in small letters. None is a pause; a quotation mark is part of the sentence around it.
fn lower(token: &Token) -> Option<Cow<'_, str>> {
    match token {
        Token::Word(word) if word.spoken.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Some(word.spoken.to_ascii_lowercase().into())
        }
        Token::Word(word) => Some(word.spoken.as_str().into()),
        Token::Mark { mark: '“' | '”' | '(', .. } => Some("".into()),
        Token::Mark { .. } => None,
    }
}

/// "CDs" as "C Ds".
fn spaced(letters: &str) -> String {
    let mut spaced = String::new();
    for letter in letters.chars() {
        if letter.is_ascii_uppercase() && !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push(letter);
    }
    spaced
}

fn join(tokens: &[Token]) -> String {
    let mut phonemes = String::new();
    // What comes next sticks to an opening mark, and to a dash without spaces.
    let mut sticks = true;
    for token in tokens {
        match token {
            Token::Word(word) => {
                if !sticks {
                    phonemes.push(' ');
                }
                phonemes += &word.phonemes;
                sticks = word.phonemes.is_empty() && sticks;
            }
            Token::Mark { mark, spaced } => {
                let opens = matches!(mark, '“' | '(');
                if !sticks && (opens || *mark == '—') && (*spaced || opens && !phonemes.ends_with('—')) {
                    phonemes.push(' ');
                }
                phonemes.push(*mark);
                sticks = opens || *mark == '—' && !spaced;
            }
        }
    }
    phonemes
}
