//! Chat templates against Python's jinja2, set up as in Hugging Face transformers.

mod text;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use text::goldens::fixture;
use text::shared_file;
use webgguf::tokenizer::chat::{ChatTemplate, CivilTime, Variables};

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
    let variables = |name: &str| {
        let object = all.get(name).unwrap();
        let mut variables = Variables::new();
        for key in object.try_iter().unwrap() {
            variables.set(key.as_str().unwrap(), object.get_item(&key).unwrap());
        }
        variables
    };
    names.as_object().unwrap().keys().map(|name| (name.clone(), variables(name))).collect()
}

fn fnv64(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// Templates that fail in Python where the engine is lenient: loops over `none` and (the last) a generator as JSON.
const LENIENT: [&str; 5] = [
    "CohereForAI-c4ai-command-r-plus-tool_use",
    "CohereForAI-c4ai-command-r7b-12-2024-tool_use",
    "Cohere2MoE",
    "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
    "llama-cpp-deepseek-r1",
];

#[test]
fn templates_of_models_render_as_in_python() {
    let goldens = read_json("chat.json");
    let conversations = conversations();
    let (mut n_equal, mut n_errors, mut n_lenient, mut wrong) = (0, 0, 0, Vec::new());
    for (name, golden) in goldens.as_object().unwrap() {
        let Some(path) = shared_file(&format!("chat-templates/{name}.jinja")) else { return };
        let template = ChatTemplate::new(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (conversation, wanted) in golden.as_object().unwrap() {
            let rendered = template.render(&conversations[conversation], now());
            match (&rendered, wanted.as_str().unwrap()) {
                (Err(_), "error") => n_errors += 1,
                (Ok(_), "error") if LENIENT.contains(&name.as_str()) => n_lenient += 1,
                (Ok(prompt), wanted) if fnv64(prompt) == wanted => n_equal += 1,
                (rendered, wanted) => wrong.push(format!("{name}, {conversation}: wanted {wanted}, got {rendered:?}")),
            }
        }
    }
    for wrong in &wrong {
        println!("{wrong}");
    }
    println!(
        "{n_equal} prompts equal, {n_errors} errors in both, {n_lenient} errors in Python only, {} different",
        wrong.len()
    );
    assert!(wrong.is_empty());
}

#[test]
fn small_templates_render_as_in_python() {
    let variables = &conversations()["three turns"];
    let mut n_wrong = 0;
    for case in read_json("jinja.json").as_array().unwrap() {
        let source = case["template"].as_str().unwrap();
        let rendered = ChatTemplate::new(source).and_then(|template| template.render(variables, now()));
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
