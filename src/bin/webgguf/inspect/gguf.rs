//! A GGUF file, described.

use serde_json::{Value as Json, json};
use webgguf::formats::gguf::Gguf;
use webgguf::llm::{Inspection, LoadOptions};
use webgguf::ops::WeightLayout;
use webgguf::source::ByteSource;
use webgguf::tokenizer::Text;

use super::{count, elements, megabytes};
use crate::Failure;
use crate::source::Source;

pub fn report(source: &Source, context: Option<u32>) -> Result<Json, Failure> {
    let gguf = source.header()?;
    let options = LoadOptions { context_length: context, ..LoadOptions::default() };
    let mut report = serde_json::to_value(Inspection::new(&gguf, source.len(), &options))?;
    report["types"] = table(&gguf);
    // A file without a tokenizer has no templates either; what it lacks is under `unsupported`.
    report["chatTemplates"] = Text::from_gguf(&gguf.metadata).map_or(json!([]), |text| json!(text.chat_templates()));
    Ok(report)
}

/// The tensors by type.
fn table(gguf: &Gguf) -> Json {
    let row = |(ty, parameters)| {
        let of_type = gguf.tensors.iter().filter(|t| t.ty == ty);
        let bytes: u64 = of_type.clone().map(|t| t.file_range.end - t.file_range.start).sum();
        json!({
            "type": ty.to_string(), "tensors": of_type.count(), "parameters": parameters, "bytes": bytes,
            "supported": WeightLayout::of(ty).is_some(),
        })
    };
    webgguf::llm::types(gguf).into_iter().map(row).collect()
}

/// The report for a reader.
pub fn text(r: &Json) -> String {
    let mut lines = vec![format!(
        "GGUF {}, architecture {}, {} parameters, {}",
        r["version"],
        r["architecture"].as_str().unwrap_or("unknown"),
        count(&r["parameters"]),
        megabytes(&r["fileBytes"])
    )];
    lines.push("\nmetadata".into());
    for (key, value) in r["metadata"].as_object().into_iter().flatten() {
        lines.push(format!("  {key}: {}", shown(value)));
    }
    lines.push("\ntensors".into());
    for t in elements(&r["types"]) {
        let supported = if t["supported"] == true { "" } else { ", unsupported" };
        let (ty, n) = (t["type"].as_str().unwrap_or_default(), &t["tensors"]);
        lines.push(format!(
            "  {ty}: {n} with {} parameters, {}{supported}",
            count(&t["parameters"]),
            megabytes(&t["bytes"])
        ));
    }
    let need = &r["memory"];
    if need.is_object() {
        lines.push(format!(
            "\nGPU memory for {} positions: {} (weights {}, KV cache {}, activations {})",
            need["contextLength"],
            megabytes(&need["total"]),
            megabytes(&need["weights"]),
            megabytes(&need["kvCache"]),
            megabytes(&need["activations"])
        ));
    }
    for (title, list) in [("unsupported", &r["unsupported"]), ("warning", &r["warnings"])] {
        for entry in elements(list) {
            lines.push(format!("\n{title}: {}", entry.as_str().unwrap_or_default()));
        }
    }
    lines.join("\n") + "\n"
}

fn shown(value: &Json) -> String {
    if let Some(first) = value.get("first").and_then(Json::as_array) {
        let first: Vec<String> = first.iter().map(Json::to_string).collect();
        return format!("{} {} [{}, …]", value["length"], value["type"].as_str().unwrap_or_default(), first.join(", "));
    }
    const MOST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
