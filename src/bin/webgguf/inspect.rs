//! `webgguf inspect`.

use std::io::{Write, stdout};

use clap::Args;
use serde_json::{Map, Value as Json, json};
use webgguf::gguf::{Gguf, Value};
use webgguf::model::{LoadOptions, Need, arch};
use webgguf::ops::WeightLayout;
use webgguf::tokenizer::Text;

use crate::Failure;
use crate::source::Source;

/// Describe a model: metadata, tensors by type, memory need, and what of it is unsupported. Of a URL only the
/// header is fetched.
#[derive(Args)]
pub struct Inspect {
    /// A GGUF file or its URL
    file: String,
    /// Positions to compute the memory need for
    #[arg(long)]
    context: Option<u32>,
    /// Write one JSON object, with each tensor
    #[arg(long)]
    json: bool,
}

/// Elements of an array that are shown.
const SHOWN: usize = 4;

impl Inspect {
    pub fn run(&self) -> Result<(), Failure> {
        let gguf = Source::open(&self.file)?.header()?;
        let report = self.report(&gguf)?;
        match self.json {
            true => writeln!(stdout(), "{report:#}")?,
            false => stdout().write_all(text(&report).as_bytes())?,
        }
        Ok(())
    }

    fn report(&self, gguf: &Gguf) -> Result<Json, Failure> {
        let metadata: Map<String, Json> =
            gguf.metadata.iter().map(|(key, value)| (key.to_owned(), to_json(&value))).collect();
        let mut by_type: Vec<Json> = Vec::new();
        for (ty, parameters) in webgguf::session::types(gguf) {
            let of_type = gguf.tensors.iter().filter(|t| t.ty == ty);
            let bytes: u64 = of_type.clone().map(|t| t.file_range.end - t.file_range.start).sum();
            by_type.push(json!({
                "type": ty.to_string(), "tensors": of_type.count(), "parameters": parameters, "bytes": bytes,
                "supported": WeightLayout::of(ty).is_some(),
            }));
        }
        let tensors: Vec<Json> = gguf
            .tensors
            .iter()
            .map(|t| {
                json!({ "name": t.name, "type": t.ty.to_string(), "shape": t.shape, "offset": t.file_range.start,
                             "bytes": t.file_range.end - t.file_range.start })
            })
            .collect();
        let mut unsupported: Vec<String> = Vec::new();
        let mut warnings = Vec::new();
        let mut need = Json::Null;
        match arch::config(gguf) {
            Err(e) => unsupported.push(e.to_string()),
            Ok(config) => {
                warnings.extend_from_slice(&config.warnings);
                let options = LoadOptions { context_length: self.context, ..LoadOptions::default() };
                match Need::of(gguf, &config, &options) {
                    Err(e) => unsupported.push(e.to_string()),
                    Ok(n) => {
                        need = json!({ "contextLength": n.n_ctx, "weights": n.bytes.weights, "kvCache": n.bytes.kv_cache,
                                       "activations": n.bytes.activations, "total": n.bytes.total() });
                    }
                }
            }
        }
        match Text::from_gguf(&gguf.metadata) {
            Err(e) => unsupported.push(e.to_string()),
            Ok(text) => warnings.extend(text.warnings().map(str::to_owned)),
        }
        Ok(json!({
            "version": gguf.version,
            "architecture": gguf.architecture().ok(),
            "parameters": gguf.n_params(),
            "fileBytes": gguf.end(),
            "metadata": metadata,
            "types": by_type,
            "tensors": tensors,
            "memory": need,
            "unsupported": unsupported,
            "warnings": warnings,
        }))
    }
}

fn to_json(value: &Value<'_>) -> Json {
    match value {
        Value::Int(v) => i64::try_from(*v).map_or_else(|_| (*v as u64).into(), Into::into),
        Value::Float(v) => (*v).into(),
        Value::Bool(v) => (*v).into(),
        Value::String(v) => v.as_ref().into(),
        Value::Array(a) => {
            json!({ "type": format!("{:?}", a.ty).to_lowercase(), "length": a.len, "first": a.values().take(SHOWN).map(|v| to_json(&v)).collect::<Vec<_>>() })
        }
    }
}

/// The report for a reader.
fn text(r: &Json) -> String {
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
    for t in r["types"].as_array().into_iter().flatten() {
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
        for entry in list.as_array().into_iter().flatten() {
            lines.push(format!("\n{title}: {}", entry.as_str().unwrap_or_default()));
        }
    }
    lines.join("\n") + "\n"
}

fn shown(value: &Json) -> String {
    if let Some(first) = value.get("first").and_then(Json::as_array) {
        let more = if value["length"].as_u64() > Some(SHOWN as u64) { ", …" } else { "" };
        let first: Vec<String> = first.iter().map(Json::to_string).collect();
        return format!(
            "{} {} [{}{more}]",
            value["length"],
            value["type"].as_str().unwrap_or_default(),
            first.join(", ")
        );
    }
    const MOST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn count(n: &Json) -> String {
    let n = n.as_f64().unwrap_or_default();
    match n {
        1e9.. => format!("{:.2} B", n / 1e9),
        1e6.. => format!("{:.1} M", n / 1e6),
        _ => format!("{n}"),
    }
}

fn megabytes(n: &Json) -> String {
    format!("{:.1} MB", n.as_f64().unwrap_or_default() / 1e6)
}
