//! The goldens of `scripts/text/goldens.py`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use webgguf::tokenizer::{DecodeOptions, EncodeOptions, Tokenizer};

pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/text").join(name)
}

/// The texts that all tokenizers are compared on.
pub fn corpus() -> Vec<String> {
    let json = std::fs::read(fixture("corpus.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// FNV-1a over the ids as 32-bit numbers, folded.
pub fn hash16(ids: &[u32]) -> u16 {
    let bytes = ids.iter().flat_map(|id| id.to_le_bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ hash >> 16) as u16
}

/// Compares the ids of the texts with the hashes of a golden.
#[track_caller]
pub fn check_hashes(name: &str, texts: &[String], ids_of: impl Fn(&str) -> Vec<u32>) {
    let golden = std::fs::read(fixture(&format!("{name}.hashes"))).unwrap();
    let golden = golden.as_chunks::<2>().0.iter().map(|&hash| u16::from_le_bytes(hash));
    assert!(golden.len() <= texts.len());
    let n_texts = golden.len();
    let differences: Vec<&String> =
        golden.zip(texts).filter(|(hash, text)| hash16(&ids_of(text)) != *hash).map(|(_, text)| text).collect();
    for text in differences.iter().take(10) {
        println!("{name}: {text:?} gives {:?}", ids_of(text));
    }
    println!("{name}: {} of {n_texts} texts are equal", n_texts - differences.len());
    assert!(differences.is_empty(), "{name}: {} texts differ", differences.len());
}

/// The plain corpus, and with special tokens in it. Where the tokenizer is lossless, the texts come back.
#[track_caller]
pub fn check_tokenizer(name: &str, tokenizer: &Tokenizer) {
    let texts = corpus();
    if !["bert-bge", "tiny-wordpiece", "tiny-unigram"].contains(&name) {
        // To tokenizers that write spaces as `▁`, the two are one.
        let byte_level = tokenizer.token_id(b"\xff").is_some() || tokenizer.token_id("▁".as_bytes()).is_some();
        for text in texts.iter().filter(|text| byte_level || !text.contains('▁')) {
            let ids = tokenizer.encode(text, EncodeOptions::default());
            assert_eq!(tokenizer.decode(&ids, DecodeOptions::default()), *text, "{ids:?}");
        }
    }
    check_hashes(name, &texts, |text| tokenizer.encode(text, EncodeOptions::default()));

    // The special tokens of each vocabulary that were put into the texts, and those that end the generation.
    let json = std::fs::read(fixture("specials.json")).unwrap();
    let specials: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&json).unwrap();
    let list = |key: &str| specials[name][key].as_array().unwrap();
    assert_eq!(*list("end_of_generation"), tokenizer.end_of_generation());
    let specials: Vec<&str> = list("in_texts").iter().map(|token| token.as_str().unwrap()).collect();
    let texts: Vec<String> =
        texts.iter().enumerate().map(|(i, text)| with_special(text, specials[i % specials.len()])).collect();
    let options = EncodeOptions { parse_special: true, ..EncodeOptions::default() };
    check_hashes(&format!("{name}-special"), &texts, |text| tokenizer.encode(text, options));
}

/// The text with a special token in the middle.
fn with_special(text: &str, special: &str) -> String {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(text.len(), |(i, _)| i);
    let (before, after) = text.split_at(middle);
    [before, special, after].concat()
}
