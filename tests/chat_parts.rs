//! Content in parts, `[{ "type": "text", "text": … }]`, is text where a template takes text.

mod text;

use text::goldens::fixture;
use text::{metadata, shared_file};
use webgguf::error::Result;
use webgguf::tokenizer::Prompt;
use webgguf::tokenizer::Text;
use webgguf::tokenizer::chat::{CivilTime, Variables};

fn load() -> Text {
    Text::from_gguf(&metadata(&std::fs::read(fixture("tiny-bpe.gguf")).unwrap())).unwrap()
}

fn format(text: &Text, template: &str, messages: &serde_json::Value) -> Result<Prompt> {
    let mut variables = Variables::new();
    variables.set_json("messages", &messages.to_string()).unwrap();
    variables.set("add_generation_prompt", true);
    text.format_chat(&variables, Some(template), CivilTime::default())
}

/// A conversation whose contents are texts, and the same in parts.
fn conversation() -> [serde_json::Value; 2] {
    let said = [("system", "Be brief."), ("user", "Hello <|im_end|>"), ("assistant", "Hi!"), ("user", "And you?")];
    let of = |content: &dyn Fn(&str) -> serde_json::Value| {
        said.iter().map(|(role, text)| serde_json::json!({ "role": role, "content": content(text) })).collect()
    };
    [of(&|text| text.into()), of(&|text| serde_json::json!([{ "type": "text", "text": text }]))]
}

const ADDS: &str = "{% for m in messages %}<{{ m.role }}>{{ '' + m.content }}{% endfor %}";
const PRINTS: &str = "{% for m in messages %}<{{ m.role }}>{{ m['content'] | trim }}{% endfor %}";
const DROPS: &str = "{% for m in messages %}<{{ m.role }}>{{ m.content if m.content is string }}{% endfor %}";
const DUMPS: &str =
    "{% for m in messages %}<{{ m.role }}>{{ m.content if m.content is string else m.content | tojson }}{% endfor %}";
const WALKS: &str = "{% macro say(it) %}{% if it is string %}{{ it }}{% else %}{% for part in it %}{{ part.text }}{% endfor %}\
    {% endif %}{% endmacro %}{% for m in messages %}<{{ m.role }}>{{ say(m.content) }}{% endfor %}";

#[test]
fn parts_of_text_give_the_prompt_that_text_gives() {
    let text = load();
    let [plain, parts] = conversation();
    for template in [ADDS, PRINTS, DROPS, DUMPS, WALKS] {
        let want = format(&text, template, &plain).unwrap();
        assert!(want.text.contains("Hello <|im_end|>"), "{template}");
        let found = format(&text, template, &parts).unwrap();
        assert_eq!((found.text, found.data), (want.text, want.data), "{template}");
    }
}

#[test]
fn several_parts_are_lines_of_one_text() {
    let messages = serde_json::json!([{ "role": "user", "content": [
        { "type": "text", "text": "one" }, { "type": "text", "text": "two" }] }]);
    let prompt = format(&load(), ADDS, &messages).unwrap();
    assert_eq!(prompt.text, "<user>one\ntwo");
    assert_eq!(format(&load(), WALKS, &messages).unwrap().text, "<user>onetwo", "as the template has it");
}

#[test]
fn a_role_that_takes_text_gets_text() {
    let mixed = "{% for m in messages %}<{{ m.role }}>{% if m.role == 'user' %}{% for part in m.content %}({{ part.text }})\
        {% endfor %}{% else %}{{ m.content }}{% endif %}{% endfor %}";
    let [_, parts] = conversation();
    let prompt = format(&load(), mixed, &parts).unwrap();
    assert_eq!(prompt.text, "<system>Be brief.<user>(Hello <|im_end|>)<assistant>Hi!<user>(And you?)");
}

#[test]
fn what_is_no_text_is_an_error_that_names_it() {
    let messages = serde_json::json!([{ "role": "user", "content": "Hi" }, { "role": "user", "content": [
        { "type": "text", "text": "Look:" }, { "type": "image", "image": "x" }] }]);
    let error = format(&load(), ADDS, &messages).unwrap_err();
    assert_eq!(error.code(), "INVALID_ARGUMENT");
    assert!(error.to_string().contains("message 1 has a part of the type 'image'"), "{error}");
    let walks = "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}\
        {{ p.text or '<image>' }}{% endfor %}{% endif %}{% endfor %}";
    assert_eq!(format(&load(), walks, &messages).unwrap().text, "HiLook:<image>");
}

/// Templates of real models show the text, whichever way they take it.
#[test]
fn templates_of_models_show_text_in_parts() {
    let Some(folder) = shared_file("chat-templates") else { return };
    let text = load();
    let mut n = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "jinja") {
            continue;
        }
        let template = std::fs::read_to_string(&path).unwrap();
        let of = |content| format(&text, &template, &serde_json::json!([{ "role": "user", "content": content }]));
        let Ok(plain) = of("Hello there".into()) else { continue };
        if !plain.text.contains("Hello there") {
            continue;
        }
        let parts = of(serde_json::json!([{ "type": "text", "text": "Hello there" }])).unwrap();
        assert!(parts.text.contains("Hello there"), "{}: {}", path.display(), parts.text);
        assert!(!parts.text.contains("'text'"), "{}: {}", path.display(), parts.text);
        n += 1;
    }
    assert!(n > 10, "{n} templates");
}
