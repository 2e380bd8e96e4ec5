//! The names by which a wasm and its script know each other. wasm-bindgen's are long and end in hashes, which don't compress;
//! wasm-opt gives short ones and says which.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Result;

/// The module that wasm-opt has all imports come from.
const MODULE: &str = "a";

/// The script that wasm-bindgen made, with the names that wasm-opt told: `{"imports": [[module, old, new]], "exports": [[old, new]]}`.
pub fn shortened(script: &str, told: &[u8]) -> Result<String> {
    let told: Value = serde_json::from_slice(told)?;
    let rows = |key: &str| told[key].as_array().cloned().ok_or_else(|| format!("wasm-opt tells no {key}"));
    let (imports, exports) = (rows("imports")?, rows("exports")?);
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for row in &imports {
        names.insert(text(&row[1])?.into(), text(&row[2])?);
    }
    for row in &exports {
        names.insert(format!("wasm.{}", text(&row[0])?), text(&row[1])?);
    }
    let mut out = String::new();
    let mut rest = script;
    while !rest.is_empty() {
        let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len()).max(rest.chars().next().map_or(0, char::len_utf8));
        let (word, after) = rest.split_at(end);
        let export = if out.ends_with("wasm.") { names.get(&format!("wasm.{word}")) } else { None };
        out.push_str(export.or_else(|| names.get(word)).unwrap_or(&word));
        rest = after;
    }
    for row in &imports {
        out = out.replace(&format!("{:?}", text(&row[0])?), &format!("{MODULE:?}"));
    }
    Ok(out)
}

fn text(value: &Value) -> Result<&str> {
    Ok(value.as_str().ok_or_else(|| format!("wasm-opt tells {value}, a name is needed"))?)
}
