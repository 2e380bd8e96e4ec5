//! Long texts, cut into parts that are spoken one after the other.

/// Symbols that are spoken at a time, at speed 1: half of what the network takes, so that slow speech has room, too.
const SYMBOLS: f32 = 250.0;

/// Phonemes cut into parts that have room at this speed, each to be spoken by itself: after a sentence if one ends in the part's
/// second half, else after a clause or a word, else anywhere.
#[must_use]
pub fn parts(phonemes: &str, speed: f32) -> Vec<&str> {
    cut(phonemes, (SYMBOLS * speed.min(1.0)) as usize)
}

/// Parts of up to `max` symbols.
fn cut(phonemes: &str, max: usize) -> Vec<&str> {
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
    use super::{cut, parts};

    #[test]
    fn long_texts_are_cut_where_a_speaker_would_breathe() {
        assert_eq!(cut("ðə kˈæt.", 20), ["ðə kˈæt."]);
        assert_eq!(cut("ðə kˈæt sˈæt. ɪt", 14), ["ðə kˈæt sˈæt.", "ɪt"]);
        assert_eq!(cut("ðə kˈæt, ɪt sˈæt", 12), ["ðə kˈæt,", "ɪt sˈæt"]);
        assert_eq!(cut("aaaa bbbb cccc", 10), ["aaaa bbbb", "cccc"]);
        assert_eq!(cut("aaaaaaaa", 3), ["aaa", "aaa", "aa"]);
        assert!(cut("  ", 3).is_empty());
    }

    #[test]
    fn slow_speech_is_cut_into_shorter_parts() {
        let phonemes = "a".repeat(600);
        let lengths = |speed: f32| parts(&phonemes, speed).into_iter().map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(2.0), [250, 250, 100]);
        assert_eq!(lengths(0.5), [125, 125, 125, 125, 100]);
        assert_eq!(parts("aa", 0.0), ["a", "a"]);
    }
}
