//! The symbols that Kokoro speaks: phonemes, punctuation, stress and tones, and their tokens (`vocab` of its config.json).

use super::MAX_TOKENS;
use crate::error::{Result, bail};

/// Runs of symbols: the first one's token, and those after it have the tokens that follow.
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

/// The token before and after a text's.
const END: u32 = 0;

fn token(symbol: char) -> Option<u32> {
    let in_run = |&(first, symbols): &(u32, &str)| symbols.chars().position(|c| c == symbol).map(|i| first + i as u32);
    RUNS.iter().find_map(in_run)
}

/// The tokens of a text in phonemes, with those around it.
///
/// # Errors
/// `InvalidArgument` where a symbol is none of Kokoro's, there are none, or more than it takes.
pub fn tokens(phonemes: &str) -> Result<Vec<u32>> {
    let mut tokens = vec![END];
    for (i, symbol) in phonemes.chars().enumerate() {
        match token(symbol) {
            Some(token) => tokens.push(token),
            None => bail!(InvalidArgument, "symbol {i} of the phonemes is '{symbol}', which Kokoro does not know"),
        }
    }
    tokens.push(END);
    let (n, most) = (tokens.len() - 2, MAX_TOKENS as usize - 2);
    if n == 0 || n > most {
        bail!(InvalidArgument, "there are {n} phonemes, 1 to {most} are allowed; longer texts are spoken in parts");
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_have_their_tokens() {
        assert_eq!(tokens("həlˈoʊ.").unwrap(), [0, 50, 83, 54, 156, 57, 135, 4, 0]);
        assert_eq!(tokens("\u{303};ᵻ").unwrap(), [0, 17, 1, 177, 0]);
        let mut all: Vec<char> = RUNS.iter().flat_map(|(_, symbols)| symbols.chars()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 114);
    }

    #[test]
    fn others_are_refused() {
        let refused = |phonemes: &str, says: &str| {
            let error = tokens(phonemes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        };
        refused("a#", "symbol 1 of the phonemes is '#'");
        refused("", "there are 0 phonemes");
        refused(&"a".repeat(511), "there are 511 phonemes, 1 to 510 are allowed");
    }
}
