//! Pre-tokenizers: what cuts a text into the pieces that BPE merges within.
//!
//! A pre-tokenizer is a list of splits, each applied to the pieces of the one before; what a split matches
//! becomes a piece, and so does what lies between its matches (`Isolated` in a `tokenizer.json`).

mod charset;
mod parse;
mod pattern;
mod rules;

use pattern::Pattern;
use rules::RULES;
pub(crate) use rules::Rules;

use super::unicode::{Categories, Category, CategoryMask};

/// One step of a pre-tokenizer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Split {
    /// A regular expression.
    Pattern(&'static str),
    /// Numbers in groups of three counted from the right, such as `\d{1,3}(?=(?:\d{3})*…)`, which as a pattern would
    /// look ahead over the whole number at each group. With `to_word_end`, only those before a word's end, `\b`.
    FromRight { digits: CategoryMask, to_word_end: bool },
}

/// The rules of `name`; `None` where no pre-tokenizer has that name.
pub(crate) fn rules(name: &str) -> Option<&'static Rules> {
    RULES.iter().find(|rules| rules.names.contains(&name))
}

/// The rules of files that name no pre-tokenizer or an unknown one.
pub(crate) fn default_rules() -> &'static Rules {
    &RULES[0]
}

#[derive(Debug)]
enum Step {
    Pattern(Pattern),
    FromRight { digits: CategoryMask, to_word_end: bool },
}

#[derive(Debug)]
pub(crate) struct PreTokenizer(Vec<Step>);

impl PreTokenizer {
    pub fn new(splits: &[Split]) -> PreTokenizer {
        let step = |split: &Split| match *split {
            Split::Pattern(source) => Step::Pattern(Pattern::parse(source).expect("a test parses every pattern")),
            Split::FromRight { digits, to_word_end } => Step::FromRight { digits, to_word_end },
        };
        PreTokenizer(splits.iter().map(step).collect())
    }

    /// Gives `piece` the pieces of `text`, in order; none is empty.
    pub fn split<'t>(&self, text: &'t str, piece: &mut dyn FnMut(&'t str)) {
        split_steps(&self.0, text, piece);
    }
}

/// As deep as there are steps.
fn split_steps<'t>(steps: &[Step], text: &'t str, piece: &mut dyn FnMut(&'t str)) {
    let Some((step, rest)) = steps.split_first() else {
        if !text.is_empty() {
            piece(text);
        }
        return;
    };
    let next = |t| split_steps(rest, t, piece);
    match step {
        Step::Pattern(pattern) => pattern.split(text, next),
        Step::FromRight { digits, to_word_end } => split_digits(text, *digits, *to_word_end, next),
    }
}

/// `\w` as in Oniguruma, to which the numbers of Latin-1 belong but no other numbers that are no digits.
fn is_word(c: char) -> bool {
    const WORD: CategoryMask = Category::mask("Nd") | Category::mask("M") | Category::mask("Pc");
    c.is_alphabetic() || Categories::get().of(c).is_in(WORD) || matches!(c, '²' | '³' | '¹' | '¼'..='¾')
}

fn split_digits<'t>(text: &'t str, digits: CategoryMask, to_word_end: bool, mut piece: impl FnMut(&'t str)) {
    let categories = Categories::get();
    let (mut gap, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        if !categories.of(c).is_in(digits) {
            at += c.len_utf8();
            continue;
        }
        let end = text[at..].find(|c| !categories.of(c).is_in(digits)).map_or(text.len(), |n| at + n);
        let goes_on = text[end..].chars().next().is_some_and(is_word);
        if to_word_end && goes_on {
            at = end;
            continue;
        }
        if gap < at {
            piece(&text[gap..at]);
        }
        let n = text[at..end].chars().count();
        let mut group = at;
        for (i, (offset, _)) in text[at..end].char_indices().enumerate() {
            if i > 0 && (n - i).is_multiple_of(3) {
                piece(&text[group..at + offset]);
                group = at + offset;
            }
        }
        piece(&text[group..end]);
        (gap, at) = (end, end);
    }
    if gap < at {
        piece(&text[gap..at]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
        let mut out = Vec::new();
        PreTokenizer::new(rules(name).expect("a known name").splits).split(text, &mut |p| out.push(p));
        out
    }

    #[test]
    fn every_pattern_parses_and_names_are_unique() {
        let mut names: Vec<&str> = Vec::new();
        for rules in RULES {
            PreTokenizer::new(rules.splits);
            names.extend(rules.names);
        }
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn families_differ_where_they_should() {
        assert_eq!(pieces("gpt-2", "I'll pay  12345€!"), ["I", "'ll", " pay", " ", " 12345", "€!"]);
        assert_eq!(pieces("llama-bpe", "I'LL pay  12345€!"), ["I", "'LL", " pay", " ", " ", "123", "45", "€!"]);
        assert_eq!(pieces("qwen2", "a 12\n\n b"), ["a", " ", "1", "2", "\n\n", " b"]);
        assert_eq!(pieces("smollm", " 12"), [" ", "1", "2"]);
        assert_eq!(pieces("gpt-4o", "HelloWorld's ÉTÉété"), ["Hello", "World's", " ÉTÉété"]);
        assert_eq!(pieces("gemma4", "a b\n\nc"), ["a b", "\n\n", "c"]);
        assert_eq!(pieces("deepseek-v3", "a中12.b"), ["a", "中", "12", ".b"]);
    }

    #[test]
    fn digits_group_from_the_right() {
        assert_eq!(
            pieces("tiny_aya", "1234567 x1234 1234x"),
            ["1", "234", "567", " x", "1", "234", " ", "123", "4", "x"]
        );
        assert_eq!(pieces("superbpe", "a1234x"), ["a", "1", "234", "x"]);
        assert_eq!(pieces("afmoe", "1000"), ["1", "000"]);
    }

    #[test]
    fn pieces_make_up_the_text() {
        let text = "Ünï\u{301}cödé  'S 中文 ١٢٣٤ \r\n\t 🦙\u{200d}x don't\u{a0}IMGIMGABZ<sentinel:1>";
        for rules in RULES {
            assert_eq!(pieces(rules.names[0], text).concat(), text, "{}", rules.names[0]);
        }
    }

    #[test]
    fn long_runs_are_not_quadratic() {
        for run in ["a", " ", "A", "\n", "1", "'", "中", "\u{301}", "!", " \u{a0}", "é ", "aA"] {
            let text = run.repeat(50_000);
            for rules in RULES {
                let n_bytes: usize = pieces(rules.names[0], &text).iter().map(|p| p.len()).sum();
                assert_eq!(n_bytes, text.len());
            }
        }
    }
}
