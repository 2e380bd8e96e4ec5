//! Content in parts, `[{ "type": "text", "text": … }]`, for templates that take text.
//!
//! Some templates walk through the parts, others expect a string and would write the list out, drop it or fail. Which one a
//! template is shows when it is given a message of one known part.

use super::template::{ChatTemplate, Variables};
use crate::error::{Result, bail};
use crate::jinja::{CivilTime, Str, Value, parse_json};

/// What stands between parts that become one text.
const BETWEEN: &str = "\n";
/// A text that no template writes by itself.
const PROBE: &str = "a-part-of-webgguf";

/// The variables, in which contents in parts are text where the template takes text only.
///
/// # Errors
/// `InvalidArgument` for a part that is no text, where the template takes text only.
pub fn as_text(template: &ChatTemplate, variables: Variables, now: CivilTime) -> Result<Variables> {
    let messages = variables.get("messages").and_then(Value::as_list).unwrap_or_default();
    if messages.iter().all(|message| parts(message).is_none()) {
        return Ok(variables);
    }
    let mut all = messages.to_vec();
    for (i, message) in all.iter_mut().enumerate() {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        let Some(parts) = parts(message) else { continue };
        if takes_parts(template, &variables, role, now)? {
            continue;
        }
        let mut text = Str::data("");
        for (n, part) in parts.iter().enumerate() {
            let Some(Value::Str(more)) = part.get("text").filter(|_| kind_of(part) == "text") else {
                bail!(
                    InvalidArgument,
                    "message {i} has a part of the type '{}'; the model's chat template takes text alone",
                    kind_of(part)
                );
            };
            let between = Str::data(if n > 0 { BETWEEN } else { "" });
            text = text.followed_by(&between).followed_by(more);
        }
        *message = message.with("content", Value::Str(text));
    }
    let mut variables = variables;
    variables.set("messages", Value::list_of(all));
    Ok(variables)
}

/// The parts of a message whose content is in parts.
fn parts(message: &Value) -> Option<&[Value]> {
    let parts = message.get("content")?.as_list()?;
    parts.iter().all(|part| part.get("type").is_some()).then_some(parts)
}

fn kind_of(part: &Value) -> &str {
    part.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// Whether the template reads the parts of a message of this role.
fn takes_parts(template: &ChatTemplate, variables: &Variables, role: &str, now: CivilTime) -> Result<bool> {
    let user = r#"{"role":"user","content":"Hi"}"#;
    let probed = format!(r#"{{"content":[{{"type":"text","text":"{PROBE}"}}]}}"#);
    // Roles stand where templates want them.
    let messages = match role {
        "user" => format!("[{probed}]"),
        "system" | "developer" => format!("[{probed},{user}]"),
        _ => format!("[{user},{probed}]"),
    };
    let messages = parse_json(&messages)?;
    let with_role = |message: &Value| match message.get("role") {
        Some(_) => message.clone(),
        None => message.with("role", Value::from(role)),
    };
    let messages = messages.as_list().unwrap_or_default().iter().map(with_role).collect();
    let mut variables = variables.clone();
    variables.set("messages", Value::list_of(messages));
    // A list that was written out shows the names of its keys.
    Ok(template.render(&variables, now).is_ok_and(|prompt| {
        prompt.text.contains(PROBE) && !["'text'", "\"text\""].iter().any(|key| prompt.text.contains(key))
    }))
}
