//! The alphabet in which GPT-2 and its kin spell bytes: printable characters stand for their own Latin-1 code,
//! the other 68 bytes, in order, for the code points from 256 on (`bytes_to_unicode` in openai/gpt-2,
//! `src/encoder.py`).

/// The byte a character spells.
pub(super) fn byte_of(c: char) -> Option<u8> {
    let code = c as u32;
    let byte = match code {
        33..=126 | 161..=172 | 174..=255 => code,
        256..=288 => code - 256,
        289..=322 => code - 289 + 127,
        323 => 173,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

/// Appends the bytes that a token spells. A token that is not spelt in the alphabet, such as one added by hand,
/// stands for its own text.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let spelt = std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|c| match byte_of(c) {
            Some(byte) => {
                out.push(byte);
                true
            }
            None => false,
        })
    });
    if !spelt {
        out.truncate(start);
        out.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_every_byte_once() {
        let mut bytes: Vec<u8> = ('\0'..'\u{200}').filter_map(byte_of).collect();
        assert_eq!(byte_of('Ġ'), Some(b' '));
        assert_eq!(byte_of('Ċ'), Some(b'\n'));
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn a_token_outside_the_alphabet_is_its_own_text() {
        let mut out = Vec::new();
        decode("Ġé".as_bytes(), &mut out);
        decode("<｜end▁of▁sentence｜>".as_bytes(), &mut out);
        assert_eq!(out, [b" \xe9".as_slice(), "<｜end▁of▁sentence｜>".as_bytes()].concat());
    }
}
