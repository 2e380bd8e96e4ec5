//! The symbols that Kokoro reads, and their ids.

use super::MAX_TOKENS;
use crate::error::{Result, bail};

/// Symbols with consecutive ids, and the first one's: the vocabulary of Kokoro-82M. 0 stands before and after a text.
const RUNS: [(u32, &str); 30] = [
    (1, ";:,.!?"),
    (9, "—…\"()“” \u{303}ʣʥʦʨᵝꭧAI"),
    (31, "O"),
    (33, "Q"),
    (35, "ST"),
    (39, "W"),
    (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"),
    (75, "βɔɕç"),
    (80, "ɖðʤə"),
    (85, "ɚɛɜ"),
    (90, "ɟ"),
    (92, "ɡ"),
    (99, "ɥ"),
    (101, "ɨɪʝ"),
    (110, "ɯɰŋɳɲɴø"),
    (118, "ɸθœ"),
    (123, "ɹ"),
    (125, "ɾɻ"),
    (128, "ʁɽʂʃʈʧ"),
    (135, "ʊʋ"),
    (138, "ʌɣɤ"),
    (142, "χʎ"),
    (147, "ʒʔ"),
    (156, "ˈˌː"),
    (162, "ʰ"),
    (164, "ʲ"),
    (169, "↓"),
    (171, "→↗↘"),
    (177, "ᵻ"),
];

/// Symbols of a text, at most.
pub const MAX_SYMBOLS: usize = MAX_TOKENS as usize - 2;

fn id(symbol: char) -> Option<u32> {
    RUNS.iter().find_map(|(first, run)| run.chars().position(|c| c == symbol).map(|i| first + i as u32))
}

/// The tokens of a text in phonemes: 0, an id for each symbol, 0.
///
/// # Errors
/// `InvalidArgument` where there are no symbols, more than [`MAX_SYMBOLS`], or one that Kokoro does not know.
pub fn tokens(phonemes: &str) -> Result<Vec<u32>> {
    let n = phonemes.chars().count();
    if n == 0 || n > MAX_SYMBOLS {
        bail!(InvalidArgument, "the text has {n} phonemes; 1 to {MAX_SYMBOLS} are allowed");
    }
    let mut tokens = vec![0];
    for symbol in phonemes.chars() {
        let Some(id) = id(symbol) else { bail!(InvalidArgument, "'{symbol}' is no phoneme of Kokoro's") };
        tokens.push(id);
    }
    tokens.push(0);
    Ok(tokens)
}

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
    use super::*;

    #[test]
    fn symbols_have_their_ids() {
        assert_eq!(tokens("həlˈO wˈɜɹld!").unwrap(), [0, 50, 83, 54, 156, 31, 16, 65, 156, 87, 123, 54, 46, 5, 0]);
        assert_eq!(tokens("ᵻ↘;").unwrap(), [0, 177, 173, 1, 0]);
        for bad in ["", "g", "ə4"] {
            assert_eq!(tokens(bad).unwrap_err().code(), "INVALID_ARGUMENT", "{bad}");
        }
        assert!(tokens(&"a".repeat(MAX_SYMBOLS)).is_ok());
        assert!(tokens(&"a".repeat(MAX_SYMBOLS + 1)).is_err());
    }

    #[test]
    fn a_symbol_has_one_id() {
        let all: Vec<char> = RUNS.iter().flat_map(|(_, run)| run.chars()).collect();
        assert_eq!(all.len(), 114);
        assert!(all.iter().enumerate().all(|(i, c)| !all[..i].contains(c)));
    }

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
