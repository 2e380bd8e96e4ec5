//! An ONNX file, described.

use serde_json::{Value as Json, json};
use webgguf::formats::onnx::Inspection;
use webgguf::load::read_onnx;
use webgguf::source::ByteSource;

use super::{count, elements, plain, size};
use crate::Failure;
use crate::source::Source;

pub fn report(source: &Source) -> Result<Json, Failure> {
    let model = pollster::block_on(read_onnx(source))?;
    Ok(json!({ "format": "ONNX", "fileBytes": source.len(), "models": [Inspection::new(&model)] }))
}

/// The report for a reader.
pub fn text(r: &Json) -> String {
    let m = &r["models"][0];
    let producer = format!("{} {}", plain(&m["producer"]), plain(&m["producerVersion"]));
    let (parameters, bytes) = (count(&m["parameters"]), size(&r["fileBytes"]));
    let mut lines =
        vec![format!("ONNX, version {} by {}, {parameters} parameters, {bytes}", m["irVersion"], producer.trim_end())];
    let opset = |o: &Json| format!("{} {}", domain(o), o["version"]);
    lines.push(format!("operators of {}", elements(&m["opsets"]).map(opset).collect::<Vec<_>>().join(", ")));
    for (key, value) in m["metadata"].as_object().into_iter().flatten() {
        lines.push(format!("{key}: {value}"));
    }
    for title in ["inputs", "outputs"] {
        lines.push(format!("\n{title}"));
        lines.extend(elements(&m[title]).map(port));
    }
    lines.push("\noperators".into());
    lines.extend(elements(&m["operators"]).map(|o| {
        let prefix = o["domain"].as_str().filter(|d| !d.is_empty()).map(|d| format!("{d}.")).unwrap_or_default();
        format!("  {prefix}{}: {}", plain(&o["name"]), o["count"])
    }));
    lines.push("\ntensors".into());
    lines.extend(elements(&m["types"]).map(of_type));
    if elements(&m["quantization"]).next().is_some() {
        lines.push("\nquantised".into());
        lines.extend(elements(&m["quantization"]).map(quantized));
    }
    lines.push(format!("\nmemory: weights {}; activations depend on the inputs", size(&m["weightBytes"])));
    if m["subgraphs"] != 0 {
        lines.push(format!("graphs inside nodes: {}", m["subgraphs"]));
    }
    if m["functions"] != 0 {
        lines.push(format!("functions: {}", m["functions"]));
    }
    lines.join("\n") + "\n"
}

fn domain(of: &Json) -> &str {
    of["domain"].as_str().filter(|d| !d.is_empty()).unwrap_or("ai.onnx")
}

fn port(p: &Json) -> String {
    let dims: Vec<&str> = elements(&p["shape"]).map(plain).collect();
    let shape = if p["shape"].is_array() { format!("[{}]", dims.join(",")) } else { "of unknown shape".into() };
    format!("  {}: {} {shape}", plain(&p["name"]), p["type"].as_str().unwrap_or("unknown"))
}

fn of_type(t: &Json) -> String {
    let mut line = format!("  {}: {} initializers", plain(&t["type"]), t["initializers"]);
    if t["constants"] != 0 {
        line += &format!(", {} constants", t["constants"]);
    }
    line + &format!(" with {} elements, {}", count(&t["elements"]), size(&t["bytes"]))
}

fn quantized(q: &Json) -> String {
    let mut line = format!("  {}: {} nodes", plain(&q["operator"]), q["nodes"]);
    if q["weights"] == 0 {
        return line;
    }
    let list = |of: &Json, word: &str| {
        let counts = of.as_object().into_iter().flatten().filter(|(_, n)| **n != 0);
        counts.map(|(name, n)| format!("{n} {word}{name}")).collect::<Vec<_>>().join(", ")
    };
    line += &format!(", {} parameters in {}", count(&q["parameters"]), list(&q["types"], ""));
    line + &format!("; scales: {}", list(&q["scales"], "a "))
}
