//! A long text cut into sentences.

use std::ops::Range;

use super::fold::Folded;
use super::lexemes::{At, Kind, lexemes};
use super::normalize::is_abbreviation;
use crate::speech::phonemes::Dictionary;

/// Closing marks behind the end of a sentence that belong to it, at most.
const MAX_CLOSERS: usize = 8;

pub fn sentences<'t>(text: &'t str, dictionary: &Dictionary) -> Vec<&'t str> {
    let folded = Folded::new(text);
    let lexemes = lexemes(&folded);
    let mut at = At { dictionary, text: &folded.text, lexemes: &lexemes, i: 0 };
    let mut sentences = Vec::new();
    let mut start = 0;
    while at.i < lexemes.len() {
        let next = match ends(&at) {
            Some(n) => at.i + n,
            None => {
                at.i += 1;
                continue;
            }
        };
        push(&mut sentences, text, &folded, lexemes[start].range.start..lexemes[next - 1].range.end);
        (start, at.i) = (next, next);
    }
    if start < lexemes.len() {
        push(&mut sentences, text, &folded, lexemes[start].range.start..folded.text.len());
    }
    sentences
}

fn push<'t>(sentences: &mut Vec<&'t str>, text: &'t str, folded: &Folded, range: Range<usize>) {
    let sentence = text[folded.source(range)].trim();
    if !sentence.is_empty() {
        sentences.push(sentence);
    }
}

/// The lexemes up to the end of the sentence, if it ends here.
fn ends(at: &At) -> Option<usize> {
    // An empty line ends a heading, too.
    if at.is_space(0) {
        let space = &at.text[at.lexemes[at.i].range.clone()];
        return (space.matches('\n').count() > 1).then_some(1);
    }
    let mark = at.mark(0).filter(|mark| matches!(mark, '.' | '!' | '?' | '…'))?;
    if at.mark(1).is_some_and(|next| matches!(next, '.' | '!' | '?' | '…')) {
        return None;
    }
    let closers =
        (1..).take(MAX_CLOSERS).take_while(|&k| matches!(at.mark(k), Some('"' | '”' | '\'' | ')' | '*' | '_')));
    let n = 1 + closers.count() as isize;
    match at.kind(n) {
        None => return Some(n as usize),
        Some(Kind::Space) => {}
        _ => return None,
    }
    // What a sentence begins with.
    let opener = isize::from(matches!(at.mark(n + 1), Some('"' | '“' | '\'' | '(' | '—' | '*' | '_')));
    let next = n + 1 + opener;
    let begins = match (at.word(next), at.kind(next)) {
        (Some(word), _) => word.starts_with(|c: char| c.is_ascii_uppercase()),
        (None, Some(Kind::Digits)) => true,
        (None, Some(Kind::Mark(c))) => !matches!(c, ',' | ';' | ':' | ')' | '-' | '–' | '&' | '/'),
        (None, _) => opener == 1 || at.kind(next).is_none(),
    };
    let dots = mark == '.' && !at.is_mark(-1, '.');
    (begins && !(dots && is_abbreviation(at, -1))).then_some(n as usize)
}
