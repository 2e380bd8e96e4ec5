//! The keywords, and the types of values.

use super::Subschema;
use crate::constrain::json::Json;
use crate::error::Result;
use crate::floats;

/// What says nothing about a value.
const NOTES: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$anchor",
    "contentMediaType",
    "contentEncoding",
];

/// Of arrays and objects.
pub const OF_PARTS: &[&str] = &[
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "minProperties",
    "maxProperties",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
];

/// Of any type, of strings and of numbers.
const ENFORCED: &[&str] = &[
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "type",
    "enum",
    "const",
    "uniqueItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
];

/// # Errors
/// `InvalidArgument` that names a keyword that can't be enforced.
pub fn check_keywords(part: &Subschema<'_>) -> Result<()> {
    let Json::Object(entries) = part.schema else { return Ok(()) };
    for (keyword, value) in entries {
        let known = [NOTES, OF_PARTS, ENFORCED].iter().any(|list| list.contains(&keyword.as_str()))
            || keyword.starts_with("x-");
        if !known {
            return Err(part.error(keyword, "it is no keyword that is supported"));
        }
        match (keyword.as_str(), value) {
            ("uniqueItems", Json::Bool(true)) if part.count("maxItems")?.is_none_or(|n| n > 1) => {
                return Err(part.error(keyword, "items can't be compared while they are written"));
            }
            ("multipleOf", Json::Number(n)) if floats::parse(n) == Some(1.0) => {}
            ("multipleOf", _) => return Err(part.error(keyword, "only 1 is supported")),
            _ => {}
        }
    }
    Ok(())
}

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u8);

const KINDS: [&str; 6] = ["object", "array", "string", "number", "boolean", "null"];

impl Kinds {
    /// The types that all of the schemas allow.
    pub fn of(parts: &[Subschema<'_>]) -> Result<Kinds> {
        let mut kinds = Kinds(0x3f);
        for part in parts {
            let names: Vec<&Json> = match part.get("type") {
                None => continue,
                Some(Json::Array(names)) => names.iter().collect(),
                Some(name) => vec![name],
            };
            let mut own = 0;
            for name in names {
                let name = match name {
                    Json::Text(name) if name == "integer" => "number",
                    Json::Text(name) => name,
                    _ => "",
                };
                match KINDS.iter().position(|kind| *kind == name) {
                    Some(i) => own |= 1 << i,
                    None => {
                        return Err(part
                            .error("type", &format!("{}, integer or several of them are allowed", KINDS.join(", "))));
                    }
                }
            }
            kinds.0 &= own;
        }
        Ok(kinds)
    }

    pub fn has(self, kind: &str) -> bool {
        self.each().any(|own| own == kind)
    }

    pub fn each(self) -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().enumerate().filter(move |(i, _)| self.0 >> i & 1 == 1).map(|(_, kind)| kind)
    }
}

/// Whether numbers must be whole.
pub fn is_integer(part: &Subschema<'_>) -> bool {
    let is = |name: &Json, wanted: &str| matches!(name, Json::Text(name) if name == wanted);
    let by_type = match part.get("type") {
        Some(Json::Array(names)) => names.iter().any(|n| is(n, "integer")) && !names.iter().any(|n| is(n, "number")),
        Some(name) => is(name, "integer"),
        None => false,
    };
    by_type || part.get("multipleOf").is_some()
}
