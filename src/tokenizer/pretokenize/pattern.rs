//! A small backtracking matcher for the regular expressions of pre-tokenizers.
//!
//! The patterns are those of the models' own `tokenizer.json`, word for word, and no others: a file never
//! brings one. That is why this can be small where a regex engine is not: alternatives are tried in order,
//! repetitions of one class are greedy and give characters back, and a repeated group is atomic, which none
//! of the patterns can tell from giving back.
//!
//! Depth of recursion and of backtracking follow the pattern, not the text.

use super::charset::CharSet;

pub(super) type Alternatives = Vec<Vec<Node>>;

#[derive(Debug)]
pub(super) enum Node {
    /// `[…]{min,max}`, greedy.
    Chars { set: CharSet, min: u32, max: u32 },
    /// `(?:…|…){min,max}`, greedy and atomic.
    Group { alternatives: Alternatives, min: u32, max: u32 },
    /// `(?=…)` where a match is wanted, `(?!…)` where none is.
    Look { alternatives: Alternatives, wanted: bool },
    /// `$`
    End,
}

#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) alternatives: Alternatives,
}

impl Pattern {
    /// Where the match that starts at byte `at` ends; `None` where none or an empty one starts there.
    pub fn match_at(&self, text: &str, at: usize) -> Option<usize> {
        first_match(&self.alternatives, text, at).filter(|&end| end > at)
    }

    /// Gives `piece` the matches and the stretches between them, in order.
    pub fn split<'t>(&self, text: &'t str, mut piece: impl FnMut(&'t str)) {
        let (mut gap, mut at) = (0, 0);
        while let Some(c) = text[at..].chars().next() {
            match self.match_at(text, at) {
                Some(end) => {
                    if gap < at {
                        piece(&text[gap..at]);
                    }
                    piece(&text[at..end]);
                    (gap, at) = (end, end);
                }
                None => at += c.len_utf8(),
            }
        }
        if gap < at {
            piece(&text[gap..at]);
        }
    }
}

fn first_match(alternatives: &[Vec<Node>], text: &str, at: usize) -> Option<usize> {
    alternatives.iter().find_map(|nodes| match_nodes(nodes, text, at))
}

fn match_nodes(nodes: &[Node], text: &str, mut at: usize) -> Option<usize> {
    for (i, node) in nodes.iter().enumerate() {
        match node {
            Node::Chars { set, min, max } => {
                let (mut n, end) = run(set, *max, text, at);
                if n < *min {
                    return None;
                }
                let rest = &nodes[i + 1..];
                // Nothing after it can fail, or nothing can be given back.
                if rest.is_empty() || n == *min {
                    at = end;
                    continue;
                }
                at = end;
                loop {
                    if let Some(end) = match_nodes(rest, text, at) {
                        return Some(end);
                    }
                    if n == *min {
                        return None;
                    }
                    n -= 1;
                    at -= text[..at].chars().next_back()?.len_utf8();
                }
            }
            Node::Group { alternatives, min, max } => {
                let mut n = 0;
                while n < *max
                    && let Some(end) = first_match(alternatives, text, at)
                {
                    n += 1;
                    if end == at {
                        break;
                    }
                    at = end;
                }
                if n < *min {
                    return None;
                }
            }
            Node::Look { alternatives, wanted } => {
                if first_match(alternatives, text, at).is_some() != *wanted {
                    return None;
                }
            }
            Node::End => {
                if at < text.len() {
                    return None;
                }
            }
        }
    }
    Some(at)
}

/// How many characters from `at` on are in the set, `max` at most, and where they end.
fn run(set: &CharSet, max: u32, text: &str, at: usize) -> (u32, usize) {
    let (mut n, mut end) = (0, at);
    for c in text[at..].chars() {
        if n == max || !set.contains(c) {
            break;
        }
        n += 1;
        end += c.len_utf8();
    }
    (n, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, wanted: &[&str]) {
        let mut pieces = Vec::new();
        Pattern::parse(pattern).expect("a valid pattern").split(text, |p| pieces.push(p));
        assert_eq!(pieces, wanted);
    }

    #[test]
    fn alternatives_are_tried_in_order() {
        check("a|ab|b", "abab", &["a", "b", "a", "b"]);
        check("ab|a", "aab", &["a", "ab"]);
    }

    #[test]
    fn classes_know_ranges_properties_and_negation() {
        check(r"[a-c\p{Lu}\-]+", "ab-Éé", &["ab-É", "é"]);
        check(r"[^\s\p{L}]+", "a 12\u{a0}!", &["a ", "12", "\u{a0}", "!"]);
        check(r"[\p{L}&&[^\p{Han}]]+", "ab中c", &["ab", "中", "c"]);
    }

    #[test]
    fn repetitions_give_back() {
        check(r"\s*[\r\n]+|\s+(?!\S)|\s+", " \n  x", &[" \n", " ", " ", "x"]);
        check(r"\s+(?!\S)|\s+", "a   b  ", &["a", "  ", " ", "b", "  "]);
        check(r"[\p{Lu}\p{Lo}]*[\p{Ll}\p{Lo}]+", "ABcAB中", &["ABc", "AB中"]);
        check(r"\p{N}{1,3}", "12345", &["123", "45"]);
    }

    #[test]
    fn groups_and_looking_ahead() {
        check(r"\p{L}+(?i:'s|'re)?", "we'RE it'?", &["we'RE", " ", "it", "'?"]);
        check(r"(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+", "a b  c", &["a b", "  ", "c"]);
        check(r"\s+$", "a  b  ", &["a  b", "  "]);
    }

    #[test]
    fn what_the_engine_lacks_does_not_parse() {
        for pattern in ["(a)", r"\b", "a)", "[a", "(?:a", r"\p{Latin}", "a{x}"] {
            assert!(Pattern::parse(pattern).is_none(), "{pattern}");
        }
    }
}
