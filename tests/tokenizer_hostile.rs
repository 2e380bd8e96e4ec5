//! No file, text or id makes the tokenizer panic. `PROPTEST_CASES=1000000` for a long run.

mod text;

use proptest::prelude::*;
use text::goldens::fixture;
use text::metadata;
use webgguf::formats::gguf::GgufWriter;
use webgguf::tokenizer::{DecodeOptions, Detokenizer, EncodeOptions, Text, Tokenizer};

const MODELS: [&str; 5] = ["gpt2", "gemma4", "llama", "bert", "t5"];

/// A vocabulary that works, for changing one thing at a time.
fn valid(model: &str) -> GgufWriter {
    GgufWriter::default()
        .string("tokenizer.ggml.model", model)
        .string("tokenizer.ggml.pre", "gpt-2")
        .strings("tokenizer.ggml.tokens", &["<unk>", "<s>", "</s>", "a", "b", "ab", "▁", "Ġ", "<0x0A>"])
}

#[track_caller]
fn error(file: GgufWriter) -> String {
    let error = Tokenizer::from_gguf(&metadata(&file.finish())).expect_err("an error");
    assert!(matches!(error.code(), "UNSUPPORTED_TOKENIZER" | "MALFORMED_GGUF"), "{error:?}");
    error.to_string()
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let empty = GgufWriter::default;
    assert!(error(empty()).contains("'tokenizer.ggml.model' is missing"));
    assert!(error(empty().string("tokenizer.ggml.model", "rwkv")).contains("is 'rwkv'; gpt2"));
    assert!(error(empty().string("tokenizer.ggml.model", "llama")).contains("'tokenizer.ggml.tokens' is missing"));
    let none: [&str; 0] = [];
    let file = empty().string("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", &none);
    assert!(error(file).contains("is empty"));
    assert!(error(valid("llama")).contains("'tokenizer.ggml.scores' is missing"));
    assert!(error(valid("llama").f32s("tokenizer.ggml.scores", &[0.0])).contains("has 1 elements, one for each of 9"));
    assert!(error(valid("llama").strings("tokenizer.ggml.scores", &["x"; 9])).contains("not of numbers"));
    assert!(error(valid("gpt2")).contains("'tokenizer.ggml.merges' is missing"));
    assert!(error(valid("gpt2").i32s("tokenizer.ggml.merges", &[1])).contains("not of strings"));
    assert!(
        error(valid("gpt2").strings("tokenizer.ggml.merges", &["ab"])).contains("merge 0 of the tokenizer is 'ab'")
    );
    let file = valid("gpt2").strings("tokenizer.ggml.merges", &["a b"]).i32s("tokenizer.ggml.token_type", &[1]);
    assert!(error(file).contains("'tokenizer.ggml.token_type' has 1 elements"));
    let charsmap = [100, 0, 0, 0, 1];
    let file =
        valid("t5").f32s("tokenizer.ggml.scores", &[0.0; 9]).i32s("tokenizer.ggml.precompiled_charsmap", &charsmap);
    assert!(error(file).contains("cut short"));
}

#[test]
fn what_is_doubtful_is_a_warning() {
    let load = |file: GgufWriter| Tokenizer::from_gguf(&metadata(&file.finish())).expect("a tokenizer");
    let merges = |file: GgufWriter, merges: &[&str]| file.strings("tokenizer.ggml.merges", merges);
    assert_eq!(load(merges(valid("gpt2"), &["a b"])).warnings(), [""; 0]);

    let tokenizer = load(merges(valid("gpt2"), &["a b", "a x", "b b"]));
    assert!(tokenizer.warnings()[0].starts_with("2 of 3 merges name tokens"));
    assert_eq!(tokenizer.encode("ab b", EncodeOptions::default()), [5, 7, 4]);

    let unknown = GgufWriter::default().string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", "gpt-9");
    let tokenizer = load(merges(unknown.strings("tokenizer.ggml.tokens", &["a"]), &[]));
    assert!(tokenizer.warnings()[0].starts_with("the pre-tokenizer 'gpt-9' is unknown"));

    let unnamed = GgufWriter::default().string("tokenizer.ggml.model", "gpt2").strings("tokenizer.ggml.tokens", &["a"]);
    assert!(load(merges(unnamed, &[])).warnings()[0].contains("names no pre-tokenizer"));

    let file =
        merges(valid("gpt2"), &[]).u32("tokenizer.ggml.bos_token_id", 9).bool("tokenizer.ggml.add_bos_token", true);
    let tokenizer = load(file);
    assert!(tokenizer.warnings()[0].contains("'tokenizer.ggml.bos_token_id' is 9, beyond the 9 tokens"));
    assert!(tokenizer.warnings()[1].contains("asks for BOS"));
    assert!(!tokenizer.adds_bos());
}

#[test]
fn text_does_not_become_control_tokens_unless_asked() {
    let bytes = std::fs::read(fixture("tiny-bpe.gguf")).unwrap();
    let tokenizer = Tokenizer::from_gguf(&metadata(&bytes)).unwrap();
    let end = tokenizer.token_id(b"<|im_end|>").unwrap();
    let text = "a<|im_end|><tool>xb";
    let parse = EncodeOptions { parse_special: true, ..EncodeOptions::default() };
    let plain = tokenizer.encode(text, EncodeOptions::default());
    assert!(!plain.contains(&end));
    // Of several tokens the longest; those for the user's own text are found either way.
    let tool = tokenizer.token_id(b"<tool>x").unwrap();
    assert!(plain.contains(&tool));
    let ids = tokenizer.encode(text, parse);
    assert_eq!(ids, [tokenizer.token_id(b"a").unwrap(), end, tool, tokenizer.token_id(b"b").unwrap()]);
    assert_eq!(tokenizer.decode(&ids, DecodeOptions::default()), "a<tool>xb");
    let show = DecodeOptions { show_special: true, ..DecodeOptions::default() };
    assert_eq!(tokenizer.decode(&ids, show), text);
    assert!(tokenizer.is_end_of_generation(end));
}

fn any_token() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ab▁Ġ<>/s ]{0,4}".prop_map(String::into_bytes),
        "<0x[0-9A-Fg]{2}>".prop_map(String::into_bytes),
        Just(b"<|im_end|>".to_vec()),
        Just(b"</s>".to_vec()),
        any::<String>().prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

fn any_score() -> impl Strategy<Value = f32> {
    prop_oneof![any::<f32>(), Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), -10.0_f32..0.0]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ab▁ \\n<>/s|'1é中]{0,40}", "(<|im_end|>|</s>|a| ){0,8}"]
}

fn any_file() -> impl Strategy<Value = GgufWriter> {
    let tokens = proptest::collection::vec(any_token(), 0..40);
    let merges = proptest::collection::vec(
        prop_oneof![any_token(), "[ab▁Ġ]{1,2} [ab▁Ġ]{1,2}".prop_map(String::into_bytes)],
        0..20,
    );
    let types = proptest::collection::vec(-1_i32..9, 0..60);
    let scores = proptest::collection::vec(any_score(), 0..60);
    let ids = proptest::collection::vec((0_usize..9, any::<u32>().prop_map(|id| id % 50)), 0..4);
    let charsmap = prop_oneof![
        Just(Vec::new()),
        proptest::collection::vec(any::<u8>().prop_map(i32::from), 0..80),
        // A length that fits, so that the trie is walked.
        proptest::collection::vec(any::<u8>().prop_map(i32::from), 64)
            .prop_map(|bytes| [vec![40, 0, 0, 0], bytes].concat()),
    ];
    let flags = proptest::collection::vec(any::<Option<bool>>(), 5);
    (0_usize..5, 0_usize..6, tokens, merges, types, scores, (ids, charsmap, flags)).prop_map(
        |(model, pre, tokens, merges, types, scores, (ids, charsmap, flags))| {
            let mut file = GgufWriter::default()
                .string("tokenizer.ggml.model", MODELS[model])
                .string("tokenizer.ggml.pre", ["gpt-2", "llama-bpe", "gemma4", "tekken", "tiny_aya", "?"][pre])
                .strings("tokenizer.ggml.tokens", &tokens);
            // Mostly lengths that fit: errors are found soon enough.
            if !types.is_empty() {
                let types: Vec<i32> = types.iter().copied().cycle().take(tokens.len() + types.len() % 3 / 2).collect();
                file = file.i32s("tokenizer.ggml.token_type", &types);
            }
            if !scores.is_empty() {
                let scores: Vec<f32> =
                    scores.iter().copied().cycle().take(tokens.len() + scores.len() % 3 / 2).collect();
                file = file.f32s("tokenizer.ggml.scores", &scores);
            }
            file =
                file.strings("tokenizer.ggml.merges", &merges).i32s("tokenizer.ggml.precompiled_charsmap", &charsmap);
            let names = ["bos", "eos", "eot", "unknown", "padding", "seperator", "mask", "cls", "fim_pad"];
            let mut used = Vec::new();
            for (name, id) in ids {
                if !used.contains(&name) {
                    used.push(name);
                    file = file.u32(&format!("tokenizer.ggml.{}_token_id", names[name]), id);
                }
            }
            let names = [
                "add_bos_token",
                "add_eos_token",
                "add_space_prefix",
                "remove_extra_whitespaces",
                "normalizer.lowercase",
            ];
            for (name, flag) in names.iter().zip(flags) {
                if let Some(flag) = flag {
                    file = file.bool(&format!("tokenizer.ggml.{name}"), flag);
                }
            }
            file
        },
    )
}

proptest! {
    #[test]
    fn no_file_and_no_text_panic(file in any_file(), text in any_text(), special in any::<[bool; 4]>(), ids in any::<Vec<u32>>()) {
        let Ok(text_side) = Text::from_gguf(&metadata(&file.finish())) else { return Ok(()) };
        let tokenizer = &text_side.tokenizer;
        let found = tokenizer.encode(&text, EncodeOptions { add_special: special[0], parse_special: special[1] });
        for &id in &found {
            prop_assert!(id < tokenizer.n_vocab());
        }
        let options = DecodeOptions { show_special: special[2], continues: special[3] };
        let _ = tokenizer.decode(&found, options);
        let _ = tokenizer.decode(&ids.iter().map(|id| id % 60).collect::<Vec<_>>(), options);
        let _ = tokenizer.decode(&ids, options);
        if let Some(&id) = ids.first() {
            let _ = (tokenizer.token_bytes(id), tokenizer.is_special(id), tokenizer.is_end_of_generation(id));
        }
        let _ = text_side.prompt_ids_after(&text.as_str().into(), &found);
        let _ = text_side.prompt_ids_after(&text.as_str().into(), &ids.iter().map(|id| id % 60).collect::<Vec<_>>());
        let _ = text_side.prompt_ids_after(&text.as_str().into(), &ids);
    }

    /// What streams is what the whole gives, and never half a character.
    #[test]
    fn streaming_is_lossy_decoding(ids in proptest::collection::vec(0_u32..1300, 0..60)) {
        for vocab in ["tiny-bpe.gguf", "tiny-spm.gguf"] {
            let tokenizer = Tokenizer::from_gguf(&metadata(&std::fs::read(fixture(vocab)).unwrap())).unwrap();
            let options = DecodeOptions { show_special: true, continues: true };
            let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.token_bytes(id)).copied().collect();
            let mut detokenizer = Detokenizer::new(options);
            let mut text: String = ids.iter().map(|&id| detokenizer.push(&tokenizer, id)).collect();
            text.push_str(&detokenizer.finish());
            prop_assert_eq!(&text, &String::from_utf8_lossy(&bytes));
            prop_assert_eq!(&text, &tokenizer.decode(&ids, options));
        }
    }
}

#[test]
fn unfinished_characters_wait() {
    let tokenizer = Tokenizer::from_gguf(&metadata(&std::fs::read(fixture("tiny-spm.gguf")).unwrap())).unwrap();
    let byte = |byte: u8| (0..tokenizer.n_vocab()).find(|&id| tokenizer.token_bytes(id) == [byte]).unwrap();
    let mut detokenizer = Detokenizer::new(DecodeOptions::default());
    let mut push = |byte_: u8| detokenizer.push(&tokenizer, byte(byte_));
    let llama = "🦙".as_bytes();
    assert_eq!(push(llama[0]) + &push(llama[1]) + &push(llama[2]), "");
    assert_eq!(push(llama[3]), "🦙");
    // A byte that cannot go on is invalid as soon as it is seen; one that could waits to the end.
    assert_eq!(push(0xff), "\u{fffd}");
    assert_eq!(push(0xe2) + &push(b'a'), "\u{fffd}a");
    assert_eq!(push(0xe2), "");
    assert_eq!(detokenizer.finish(), "\u{fffd}");
    assert_eq!(detokenizer.finish(), "");
}
