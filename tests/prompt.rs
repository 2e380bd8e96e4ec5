//! Prompts to go on with: the begin token, and ids that are known already.

mod text;

use text::goldens::{corpus, fixture};
use text::{metadata, shared_file};
use webgguf::tokenizer::chat::{CivilTime, Variables};
use webgguf::tokenizer::{DecodeOptions, EncodeOptions, Text};

fn load(name: &str) -> Text {
    Text::from_gguf(&metadata(&std::fs::read(fixture(name)).unwrap())).unwrap()
}

/// The texts of the corpus in turns, with a special token between each two.
fn conversations(special: &str) -> Vec<String> {
    let texts = corpus();
    texts.chunks(4).map(|texts| texts.iter().map(|text| format!("{special}{text}")).collect()).collect()
}

/// Whatever is known of a prompt's own ids, the ids are the same.
fn known_ids_change_nothing(name: &str, text: &Text, special: &str) {
    let (mut n, mut n_taken) = (0, 0);
    for prompt in conversations(special) {
        let ids = text.prompt_ids(&prompt);
        for n_known in (0..=ids.len()).step_by(7) {
            assert_eq!(
                text.prompt_ids_after(&prompt.as_str().into(), &ids[..n_known]),
                ids,
                "{name}, {n_known}: {prompt:?}"
            );
            n += 1;
        }
        // Ids of other tokens between the special ones: as much as agrees is taken over.
        let other: Vec<u32> = ids.iter().flat_map(|&id| spelled_out(text, id)).collect();
        let taken = text.prompt_ids_after(&prompt.as_str().into(), &other);
        n_taken += usize::from(taken != ids);
        let show = DecodeOptions { show_special: true, continues: false };
        assert_eq!(text.tokenizer.decode(&taken, show), text.tokenizer.decode(&ids, show), "{name}");
    }
    println!("{name}: {n} beginnings, {n_taken} prompts in other tokens");
}

/// A token as those of its bytes, where the vocabulary has them.
fn spelled_out(text: &Text, id: u32) -> Vec<u32> {
    let t = &text.tokenizer;
    if t.is_special(id) || t.token_bytes(id).starts_with(b"<") {
        return vec![id];
    }
    let bytes: Option<Vec<u32>> = t.token_bytes(id).iter().map(|&b| t.token_id(&[b])).collect();
    bytes.unwrap_or_else(|| vec![id])
}

#[test]
fn ids_known_already() {
    known_ids_change_nothing("tiny-bpe", &load("tiny-bpe.gguf"), "<|im_end|>");
    known_ids_change_nothing("tiny-spm", &load("tiny-spm.gguf"), "</s>");
    known_ids_change_nothing("tiny-raw-bpe", &load("tiny-raw-bpe.gguf"), "<|im_end|>");
    known_ids_change_nothing("tiny-unigram", &load("tiny-unigram.gguf"), "</s>");
    known_ids_change_nothing("tiny-wordpiece", &load("tiny-wordpiece.gguf"), "[SEP]");
    for (file, special) in [
        ("llama.cpp-vocab/ggml-vocab-phi-3.gguf", "<|end|>"),
        ("llama.cpp-vocab/ggml-vocab-llama-spm.gguf", "</s>"),
        ("tokenizers/vocab-qwen2.gguf", "<|im_end|>"),
    ] {
        let Some(path) = shared_file(file) else { continue };
        let text = Text::from_gguf(&metadata(&std::fs::read(path).unwrap())).unwrap();
        known_ids_change_nothing(file, &text, special);
    }
}

#[test]
fn what_a_model_wrote_stays_as_it_wrote_it() {
    for (file, end) in [("tiny-bpe.gguf", "<|im_end|>"), ("tiny-spm.gguf", "</s>")] {
        let text = load(file);
        let first = format!("{end}Hello, London{end}");
        let prompt = text.prompt_ids(&first);
        // The reply, letter by letter, as no tokenizer would cut it.
        let reply: Vec<u32> = "the world".bytes().map(|b| text.tokenizer.token_id(&[b]).unwrap()).collect();
        let known = [prompt.clone(), reply].concat();
        let second = format!("{first}the world{end}And now");
        let ids = text.prompt_ids_after(&second.as_str().into(), &known);
        assert_eq!(ids[..known.len()], known, "{file}");
        assert_ne!(ids, text.prompt_ids(&second));
        // A reply that was edited, or a template that trims it, is told in the tokenizer's own tokens.
        for edited in ["the worlds", "the World", " the world"] {
            let second = format!("{first}{edited}{end}And now");
            assert_eq!(
                text.prompt_ids_after(&second.as_str().into(), &known),
                text.prompt_ids(&second),
                "{file}, {edited}"
            );
        }
        // More than the text has, as of a reply that was cut off, does no harm.
        let second = format!("{first}the wor{end}And now");
        assert_eq!(
            text.prompt_ids_after(&second.as_str().into(), &known)[..known.len() - 2],
            known[..known.len() - 2],
            "{file}"
        );
        // Without a special token after it, the reply's last word may go on.
        let open = format!("{first}the world");
        assert_eq!(text.prompt_ids_after(&open.as_str().into(), &known), text.prompt_ids(&open));
    }
}

#[test]
fn a_prompt_has_one_begin_token_and_no_end_token() {
    let text = load("tiny-spm.gguf");
    let bos = text.tokenizer.special_ids().bos.unwrap();
    assert!(text.tokenizer.adds_bos());
    let plain = text.tokenizer.encode("Hello", EncodeOptions::default());
    assert_eq!(text.prompt_ids("Hello"), [vec![bos], plain].concat());
    assert_eq!(text.prompt_ids("<s>Hello").iter().filter(|&&id| id == bos).count(), 1);
    assert_eq!(text.prompt_ids(""), [bos]);
    let text = load("tiny-unigram.gguf");
    let ids = text.tokenizer.encode("a", EncodeOptions { add_special: true, parse_special: true });
    assert_eq!(ids.last().copied(), text.tokenizer.special_ids().eos);
    assert_eq!(text.prompt_ids("a"), ids[..ids.len() - 1]);
}

#[test]
fn a_plain_prompt_has_no_control_token_but_the_begin_token() {
    let text = load("tiny-spm.gguf");
    let bos = text.tokenizer.special_ids().bos.unwrap();
    assert_eq!(text.plain_prompt_ids("Hello"), text.prompt_ids("Hello"));
    assert_eq!(text.plain_prompt_ids("<s>Hello</s>").iter().filter(|&&id| text.tokenizer.is_special(id)).count(), 1);
    assert_eq!(text.plain_prompt_ids("<s>Hello</s>")[0], bos);
}

#[test]
fn messages_that_are_none_are_named() {
    let text = load("tiny-bpe.gguf");
    let error = |json: &str, template: Option<&str>| {
        let variables = Variables::from_json(json).unwrap();
        text.format_chat(&variables, template, CivilTime::default()).unwrap_err()
    };
    assert_eq!(error("{}", None).to_string(), "the messages are undefined; an array of messages is needed");
    assert_eq!(error(r#"{"messages": "Hi"}"#, None).code(), "INVALID_ARGUMENT");
    let found = error(r#"{"messages": [{"role": "user"}, {"content": "x"}]}"#, None).to_string();
    assert_eq!(found, "the role of message 1 is undefined; a string such as 'user' is needed");
    assert_eq!(error(r#"{"messages": [5]}"#, None).code(), "INVALID_ARGUMENT");
    let found = error(r#"{"messages": []}"#, Some("rag"));
    assert_eq!(found.code(), "TEMPLATE_ERROR");
    let found = error(r#"{"messages": []}"#, Some("\n{{ raise_exception('no') }}"));
    assert_eq!(found.to_string(), "chat template, line 2: no");
    let variables = Variables::from_json(r#"{"messages": [{"role": "user", "content": "Hi"}]}"#).unwrap();
    let prompt = text.format_chat(&variables, Some("{{ messages[0].content }}"), CivilTime::default());
    assert_eq!(prompt.unwrap().text, "Hi");
}
