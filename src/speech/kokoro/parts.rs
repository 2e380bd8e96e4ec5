//! Long texts, cut into parts that are spoken one after the other.

/// Phonemes cut into parts of up to `max` symbols, each to be spoken by itself: after a sentence if one ends in the part's
/// second half, else after a clause or a word, else anywhere.
#[must_use]
pub fn parts(phonemes: &str, max: usize) -> Vec<&str> {
    let max = max.max(1);
    let mut parts = Vec::new();
    let mut rest = phonemes.trim();
    while let Some((limit, _)) = rest.char_indices().nth(max) {
        let head = &rest[..limit];
        let after = |marks: &str| {
            let cut = head.char_indices().rev().find(|&(_, c)| marks.contains(c)).map(|(i, c)| i + c.len_utf8());
            cut.filter(|&at| at > limit / 2)
        };
        let cut = after(".!?…").or_else(|| after(",;:—")).or_else(|| after(" ")).unwrap_or(limit);
        parts.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn long_texts_are_cut_where_a_speaker_would_breathe() {
        assert_eq!(parts("ðə kˈæt.", 20), ["ðə kˈæt."]);
        assert_eq!(parts("ðə kˈæt sˈæt. ɪt", 14), ["ðə kˈæt sˈæt.", "ɪt"]);
        assert_eq!(parts("ðə kˈæt, ɪt sˈæt", 12), ["ðə kˈæt,", "ɪt sˈæt"]);
        assert_eq!(parts("aaaa bbbb cccc", 10), ["aaaa bbbb", "cccc"]);
        assert_eq!(parts("aaaaaaaa", 3), ["aaa", "aaa", "aa"]);
        assert!(parts("  ", 3).is_empty());
    }
}
