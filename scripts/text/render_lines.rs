//! Renders chat templates in bulk, for `scripts/text/jinja_fuzz.py`: each line of the input is a JSON object with
//! `template` and `variables`, each line of the output one with `output` or `error`.

use std::io::{BufRead, Write, stdin, stdout};

use serde_json::{Value, json};
use webgguf::tokenizer::chat::{ChatTemplate, CivilTime, Value as JinjaValue, Variables};

/// 2026-02-03 04:05:06, the time of the goldens.
const NOW: i64 = 1_770_091_506;

fn render(line: &str) -> webgguf::Result<String> {
    // The variables as a value of the engine: serde_json would sort the keys and change the numbers.
    let all = Variables::from_json(line)?;
    let template = all.get("template").and_then(|template| template.as_str()).unwrap_or_default();
    let variables = Variables::from_value(all.get("variables").unwrap_or(&JinjaValue::None))?;
    Ok(ChatTemplate::new(template)?.render(&variables, CivilTime::from_unix(NOW))?.text)
}

fn main() -> std::io::Result<()> {
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let answer: Value = match render(&line?) {
            Ok(output) => json!({ "output": output }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
