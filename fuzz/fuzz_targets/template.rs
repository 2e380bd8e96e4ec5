//! A chat template of a hostile file: made, and rendered with messages and tools.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webgguf::tokenizer::chat::{ChatTemplate, CivilTime, Variables, parse_json};

const MESSAGES: &str = r#"[{"role": "system", "content": "s"}, {"role": "user", "content": "Hi </s>"},
    {"role": "assistant", "content": "<think>x</think> y", "tool_calls": [{"type": "function",
    "function": {"name": "f", "arguments": {"a": [1, 2.5, null, true, "é"]}}}]}, {"role": "tool", "content": "5"}]"#;

fuzz_target!(|data: &[u8]| {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let _ = parse_json(source);
    let Ok(template) = ChatTemplate::new(source) else { return };
    let mut variables = Variables::new();
    variables.set_json("messages", MESSAGES).expect("JSON");
    variables.set_json("tools", r#"[{"type": "function", "function": {"name": "f"}}]"#).expect("JSON");
    variables.set("add_generation_prompt", true);
    let _ = template.render(&variables, CivilTime::from_unix(1_700_000_000));
});
