//! A tokenizer of a hostile file, and a text through it and back. The text is what follows the header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webgguf::formats::gguf::{Parsed, parse};
use webgguf::tokenizer::{DecodeOptions, EncodeOptions, Text};

/// A text in place of none, and the longest one: time is for headers.
const TEXTS: [&str; 2] = ["Well, Prince, \u{2581}so\n\n  Genoa 1805 \u{1f999} </s> <|im_end|>", ""];
const MAX_TEXT_BYTES: usize = 256;

fuzz_target!(|data: &[u8]| {
    let Ok(Parsed::Done { gguf, rest }) = parse(data.to_vec(), None) else { return };
    let Ok(text_side) = Text::from_gguf(&gguf.metadata) else { return };
    let tokenizer = &text_side.tokenizer;
    let own = String::from_utf8_lossy(&rest[..rest.len().min(MAX_TEXT_BYTES)]);
    for text in [own.as_ref()].into_iter().chain(TEXTS) {
        for add_special in [false, true] {
            let ids = tokenizer.encode(text, EncodeOptions { add_special, parse_special: add_special });
            assert!(ids.iter().all(|&id| id < tokenizer.n_vocab()));
            let _ = tokenizer.decode(&ids, DecodeOptions { show_special: add_special, continues: add_special });
            let _ = text_side.prompt_ids_after(&text.into(), &ids);
        }
    }
});
