//! A TFLite file or a bundle of such, described.

use serde_json::{Value as Json, json};
use webgguf::formats::tflite::{Inspection, MAX_FILE_BYTES, models};
use webgguf::source::ByteSource;

use super::{count, elements, plain, size};
use crate::Failure;
use crate::source::Source;

pub fn report(source: &Source) -> Result<Json, Failure> {
    // After the head has been read, a server's file has told its size, too.
    let len = source.len().ok_or("the server does not tell the file's size, which is needed for a TFLite file")?;
    if len > MAX_FILE_BYTES as u64 {
        return Err(format!("the file has {len} bytes, {MAX_FILE_BYTES} are allowed").into());
    }
    let models = models(&source.bytes(0..len)?)?;
    let described: Vec<Inspection<'_>> = models.iter().map(Inspection::new).collect();
    Ok(json!({ "format": "TFLite", "fileBytes": len, "models": described }))
}

/// The report for a reader.
pub fn text(r: &Json) -> String {
    elements(&r["models"]).map(model).collect::<Vec<_>>().join("\n")
}

fn model(m: &Json) -> String {
    let mut lines = Vec::new();
    if let Some(name) = m["name"].as_str() {
        lines.push(format!("{name}:"));
    }
    let (parameters, bytes) = (count(&m["parameters"]), size(&m["fileBytes"]));
    lines.push(format!("TFLite, {parameters} parameters, {bytes}"));
    if let Some(network) = m["network"].as_str() {
        lines.push(format!("{network} (by the shapes of its input and outputs, and its operators)"));
    }
    if let Some(description) = m["description"].as_str().filter(|d| !d.is_empty()) {
        lines.push(format!("description: {description}"));
    }
    for title in ["inputs", "outputs"] {
        lines.push(format!("\n{title}"));
        lines.extend(
            elements(&m[title]).map(|t| format!("  {}: {} {}", plain(&t["name"]), plain(&t["type"]), t["shape"])),
        );
    }
    lines.extend(elements(&m["signatures"]).map(|key| format!("\nsignature: {}", plain(key))));
    lines.push("\noperators".into());
    lines.extend(elements(&m["operators"]).map(|o| format!("  {}: {}", plain(&o["name"]), o["count"])));
    lines.push("\ntensors".into());
    lines.extend(elements(&m["types"]).map(of_type));
    let peak = &m["activations"];
    lines.push(format!(
        "\nmemory: weights {}, activations {} at operator {} of the first subgraph, the most at a time",
        size(&m["weightBytes"]),
        size(&peak["bytes"]),
        peak["operator"]
    ));
    if m["subgraphs"] != 1 {
        lines.push(format!("subgraphs: {}; inputs and outputs are the first one's", m["subgraphs"]));
    }
    lines.join("\n") + "\n"
}

fn of_type(t: &Json) -> String {
    let (ty, n) = (plain(&t["type"]), &t["tensors"]);
    let mut line = format!("  {ty}: {n}");
    if t["constants"] != 0 {
        line += &format!(", {} of them constants with {}", t["constants"], size(&t["bytes"]));
    }
    if t["quantized"] != 0 {
        line += &format!(", {} quantised", t["quantized"]);
    }
    line
}
