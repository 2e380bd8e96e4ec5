//! Chat templates against Python's jinja2, set up as in Hugging Face transformers.

mod text;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use text::goldens::fixture;
use text::{metadata, shared_file, shared_tokenizer};
use webgguf::formats::gguf::GgufWriter;
use webgguf::tokenizer::Tokenizer;
use webgguf::tokenizer::chat::{ChatTemplate, ChatTemplates, CivilTime, Variables};

/// 2026-02-03 04:05:06, the time of the goldens.
fn now() -> CivilTime {
    CivilTime::from_unix(1_770_091_506)
}

fn read_json(name: &str) -> Json {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

/// The conversations by name, as the JSON text of their variables: serde_json would sort the keys.
fn conversations() -> BTreeMap<String, Variables> {
    let text = std::fs::read_to_string(fixture("conversations.json")).unwrap();
    let all = Variables::from_json(&text).unwrap();
    let names = read_json("conversations.json");
    let variables = |name: &str| Variables::from_value(all.get(name).unwrap()).unwrap();
    names.as_object().unwrap().keys().map(|name| (name.clone(), variables(name))).collect()
}

fn fnv64(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// A template of the shared data: a file, or a line of the list of those that ollama recognizes.
fn template_source(name: &str) -> Option<String> {
    let Some(line) = name.strip_prefix("templates.jsonl/") else {
        return Some(std::fs::read_to_string(shared_file(&format!("chat-templates/{name}.jinja"))?).unwrap());
    };
    let lines = std::fs::read_to_string(shared_file("chat-golden/templates.jsonl")?).unwrap();
    let object: BTreeMap<String, String> = serde_json::from_str(lines.lines().nth(line.parse().unwrap())?).unwrap();
    object.into_values().next()
}

#[test]
fn templates_of_models_render_as_in_python() {
    let goldens = read_json("chat.json");
    let conversations = conversations();
    let (mut n_equal, mut n_errors, mut wrong) = (0, 0, Vec::new());
    for (name, golden) in goldens.as_object().unwrap() {
        let Some(source) = template_source(name) else { return };
        let template = ChatTemplate::new(&source).unwrap();
        for (conversation, wanted) in golden.as_object().unwrap() {
            let rendered = template.render(&conversations[conversation], now()).map(|prompt| prompt.text);
            match (&rendered, wanted.as_str().unwrap()) {
                (Err(_), "error") => n_errors += 1,
                (Ok(prompt), wanted) if fnv64(prompt) == wanted => n_equal += 1,
                (rendered, wanted) => wrong.push(format!("{name}, {conversation}: wanted {wanted}, got {rendered:?}")),
            }
        }
    }
    for wrong in &wrong {
        println!("{wrong}");
    }
    println!("{n_equal} prompts equal, {n_errors} errors in both, {} different", wrong.len());
    assert!(wrong.is_empty());
}

#[test]
fn small_templates_render_as_in_python() {
    let variables = &conversations()["three turns"];
    let mut n_wrong = 0;
    for case in read_json("jinja.json").as_array().unwrap() {
        let source = case["template"].as_str().unwrap();
        let rendered = ChatTemplate::new(source).and_then(|template| template.render(variables, now()));
        let rendered = rendered.map(|prompt| prompt.text);
        match (&rendered, case["output"].as_str()) {
            (Err(_), None) => {}
            (Ok(rendered), Some(wanted)) if rendered == wanted => {}
            (rendered, wanted) => {
                println!("{source}\n  wanted {wanted:?}\n  got    {rendered:?}");
                n_wrong += 1;
            }
        }
    }
    assert_eq!(n_wrong, 0);
}

/// Random templates of `scripts/text/jinja_fuzz.py`, with what jinja2 makes of them.
#[test]
fn random_templates_render_as_in_python() {
    let text = std::fs::read_to_string(fixture("jinja-random.json")).unwrap();
    let all = webgguf::tokenizer::chat::parse_json(&text).unwrap();
    let variables = Variables::from_value(all.get("variables").unwrap()).unwrap();
    let (mut n_equal, mut n_wrong) = (0, 0);
    for case in all.get("cases").unwrap().as_list().unwrap() {
        let string = |key: &str| case.get(key).unwrap().as_str().unwrap();
        let rendered = ChatTemplate::new(string("template")).and_then(|template| template.render(&variables, now()));
        match rendered {
            Ok(prompt) if prompt.text == string("output") => n_equal += 1,
            rendered => {
                println!("{}\n  wanted {:?}\n  got    {rendered:?}", string("template"), string("output"));
                n_wrong += 1;
            }
        }
    }
    assert_eq!((n_equal, n_wrong), (400, 0));
}

/// The prompts that ollama's own templates give, by templates of ours for the same formats. Spaces at the end that
/// ollama's have in five families are not in its records either.
#[test]
fn prompts_of_well_known_formats() {
    let message = |role: &str, content: &str| serde_json::json!({"role": role, "content": content});
    let first = message("user", "Hello, how are you?");
    let turns = [
        first.clone(),
        message("assistant", "I'm doing great. How can I help you today?"),
        message("user", "I'd like to show off how chat templating works!"),
    ];
    let system = message("system", "You are a helpful assistant.");
    let conversations = [
        ("user", vec![first]),
        ("user-assistant-user", turns.to_vec()),
        ("system-user-assistant-user", [&[system], turns.as_slice()].concat()),
    ];
    let mut n_equal = 0;
    for (family, source) in read_json("families.json").as_object().unwrap() {
        let template = ChatTemplate::new(source.as_str().unwrap()).unwrap();
        for (name, messages) in &conversations {
            let Some(path) = shared_file(&format!("chat-golden/{family}/{name}.txt")) else { return };
            let mut variables = Variables::new();
            variables.set_json("messages", &Json::from(messages.clone()).to_string()).unwrap();
            variables.set("add_generation_prompt", true);
            variables.set("eos_token", "</s>");
            assert_eq!(
                template.render(&variables, now()).unwrap().text,
                std::fs::read_to_string(path).unwrap(),
                "{family}"
            );
            n_equal += 1;
        }
    }
    assert_eq!(n_equal, 48);
}

#[test]
fn errors_name_the_line() {
    let error = |source: &str| {
        let template = ChatTemplate::new(source);
        let rendered = template.and_then(|template| template.render(&Variables::new(), now()));
        let error = rendered.expect_err("an error");
        assert_eq!(error.code(), "TEMPLATE_ERROR");
        error.to_string()
    };
    assert_eq!(
        error("a\nb\n{{ raise_exception('Only one system message') }}"),
        "chat template, line 3: Only one system message"
    );
    assert_eq!(error("\n{% for m in [1] %}\n{{ m.x.y }}{% endfor %}"), "chat template, line 3: undefined value");
    assert!(error("a\n{% if x %}").starts_with("chat template, line 2: syntax error: "));
    assert!(error("{{ 1 }}\n\n{{ x | nofilter }}").starts_with("chat template, line 3: "));
    assert!(
        error("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}")
            .contains("ran out of fuel")
    );
}

fn templates(pairs: &[(&str, &str)], tokens: &[&str]) -> ChatTemplates {
    let vocab = GgufWriter::default()
        .string("tokenizer.ggml.model", "gpt2")
        .strings("tokenizer.ggml.tokens", tokens)
        .strings("tokenizer.ggml.merges", &[""; 0]);
    let file = pairs.iter().fold(vocab, |file, (key, source)| file.string(key, source)).finish();
    let metadata = metadata(&file);
    ChatTemplates::from_gguf(&metadata, &Tokenizer::from_gguf(&metadata).unwrap()).unwrap()
}

#[test]
fn a_file_may_have_several_templates_or_none() {
    let key = "tokenizer.chat_template";
    let several = templates(&[(key, "default"), ("tokenizer.chat_template.tool_use", "tools")], &["a"]);
    assert_eq!(several.names().collect::<Vec<_>>(), ["tool_use"]);
    assert_eq!(several.source(None, false).unwrap(), "default");
    assert_eq!(several.source(None, true).unwrap(), "tools");
    assert_eq!(several.source(Some("default"), true).unwrap(), "tools");
    assert_eq!(several.source(Some("tool_use"), false).unwrap(), "tools");
    let error = several.source(Some("rag"), false).unwrap_err().to_string();
    assert_eq!(error, "the model has no chat template 'rag', it has: default, tool_use");

    assert_eq!(templates(&[("tokenizer.chat_template.default", "x")], &["a"]).source(None, true).unwrap(), "x");
    let error = templates(&[], &["a", "<|im_start|>"]).source(None, false).unwrap_err();
    assert!(error.to_string().starts_with("the model has no chat template, and its vocabulary lacks"));

    // Neither an empty text nor the name of a format is a template.
    for (found, warning) in
        [("", "is empty"), (" \n", "is empty"), ("chatml", "is the name 'chatml'"), ("llama3", "is 'llama3'")]
    {
        let odd = templates(&[(key, found)], &["<|im_start|>", "<|im_end|>"]);
        assert!(
            odd.warnings().iter().any(|w| w.starts_with("'tokenizer.chat_template' ") && w.contains(warning)),
            "{found}"
        );
        assert_eq!(odd.source(None, false).unwrap().contains("<|im_start|>"), found != "llama3", "{found}");
    }
    assert!(templates(&[(key, "{{ 1 }}")], &["a"]).warnings().is_empty());
    assert!(templates(&[(key, "")], &["a"]).source(None, false).is_err());

    let chatml = templates(&[], &["<|im_start|>", "<|im_end|>"]);
    let template = ChatTemplate::new(chatml.source(None, false).unwrap()).unwrap();
    let variables =
        Variables::from_json(r#"{"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true}"#);
    let prompt = template.render(&variables.unwrap(), now()).unwrap().text;
    assert_eq!(prompt, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

#[test]
fn templates_know_the_special_tokens() {
    let Some(tokenizer) = shared_tokenizer("llama.cpp-vocab/ggml-vocab-llama-spm.gguf") else { return };
    let template = ChatTemplate::new("{{ bos_token }}{{ eos_token }}{{ unk_token }}{{ pad_token }}").unwrap();
    let template = template.with_tokens(&tokenizer);
    assert_eq!(template.render(&Variables::new(), now()).unwrap().text, "<s></s><unk>");
    let mut variables = Variables::new();
    variables.set("bos_token", "");
    assert_eq!(template.render(&variables, now()).unwrap().text, "</s><unk>");
}
