//! JSON Schema (2020-12, and what older drafts write alike) as a term. What a set of schemas demands together is one rule, so
//! that references may go round in circles and `allOf` is a larger set.
//!
//! Values are in `JSON.stringify`'s spelling, with nothing or one space after ':' and ',', and keys in the schema's order, those
//! without a schema of their own last. What can't be enforced is an error.

mod array;
mod disjoint;
mod keywords;
mod object;
mod scalar;

use std::collections::HashMap;

use super::json::Json;
use super::term::{Id, NOTHING, Terms};
use crate::error::{Error, Result};
use crate::floats;
use crate::order::sort;
use keywords::{Kinds, check_keywords};

/// Sets of schemas that a value can be held against.
const MAX_RULES: usize = 10_000;
/// Combinations of `anyOf` and `oneOf` at one place.
const MAX_COMBINATIONS: usize = 500;
/// Bytes of a schema.
const MAX_BYTES: usize = 1 << 20;
/// Schemas within schemas that are not reached by a reference.
const MAX_DEPTH: usize = 200;

/// The JSON values of a schema.
///
/// # Errors
/// `InvalidArgument` that names the keyword and its JSON pointer (RFC 6901).
pub fn schema(t: &mut Terms, text: &str) -> Result<Id> {
    if text.len() > MAX_BYTES {
        return Err(Error::InvalidArgument(format!("the schema has {} bytes, {MAX_BYTES} are allowed", text.len())));
    }
    let root = Json::read(text)?;
    let mut compiler = Compiler { t, root: &root, rules: HashMap::new(), depth: 0 };
    compiler.value(vec![Subschema { schema: &root, at: "#".to_owned(), plain: false }])
}

/// A schema of the document, and where it is.
#[derive(Debug, Clone)]
struct Subschema<'s> {
    schema: &'s Json,
    at: String,
    /// Its references and alternatives are followed already.
    plain: bool,
}

impl<'s> Subschema<'s> {
    fn get(&self, key: &str) -> Option<&'s Json> {
        self.schema.get(key)
    }

    /// A schema in this one.
    fn sub(&self, path: &str, schema: &'s Json) -> Subschema<'s> {
        Subschema { schema, at: format!("{}/{path}", self.at), plain: false }
    }

    fn error(&self, keyword: &str, why: &str) -> Error {
        Error::InvalidArgument(format!("the schema's '{keyword}' at {} can't be enforced: {why}", self.at))
    }

    /// A keyword that counts something.
    fn count(&self, keyword: &str) -> Result<Option<u32>> {
        let Some(value) = self.get(keyword) else { return Ok(None) };
        let number = match value {
            Json::Number(text) => floats::parse(text),
            _ => None,
        };
        match number {
            Some(n) if n >= 0.0 && n.fract() == 0.0 && n < 1e9 => Ok(Some(n as u32)),
            _ => Err(self.error(keyword, "a whole number from 0 on is allowed")),
        }
    }

    fn list(&self, keyword: &str) -> Result<&'s [Json]> {
        match self.get(keyword) {
            None => Ok(&[]),
            Some(Json::Array(items)) if !items.is_empty() => Ok(items),
            Some(_) => Err(self.error(keyword, "an array that is not empty is allowed")),
        }
    }

    fn entries(&self, keyword: &str) -> Result<&'s [(String, Json)]> {
        match self.get(keyword) {
            None => Ok(&[]),
            Some(Json::Object(entries)) => Ok(entries),
            Some(_) => Err(self.error(keyword, "an object is allowed")),
        }
    }
}

/// A reference token of a JSON pointer.
fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A set of schemas without references and alternatives, and the alternatives.
#[derive(Default)]
struct Flat<'s> {
    parts: Vec<Subschema<'s>>,
    choices: Vec<Vec<Subschema<'s>>>,
    /// A schema is `false`.
    never: bool,
}

struct Compiler<'t, 's> {
    t: &'t mut Terms,
    root: &'s Json,
    /// By the schemas' addresses.
    rules: HashMap<Vec<(usize, bool)>, Id>,
    depth: usize,
}

impl<'s> Compiler<'_, 's> {
    /// The values that all of these schemas allow.
    fn value(&mut self, parts: Vec<Subschema<'s>>) -> Result<Id> {
        let mut key: Vec<(usize, bool)> =
            parts.iter().map(|p| (std::ptr::from_ref(p.schema) as usize, p.plain)).collect();
        sort(&mut key, |a, b| a < b);
        key.dedup();
        if let Some(&rule) = self.rules.get(&key) {
            return Ok(rule);
        }
        let at = parts.first().map_or("#", |part| &part.at);
        if self.rules.len() >= MAX_RULES || self.depth >= MAX_DEPTH {
            let limit = format!("{MAX_RULES} parts, {MAX_DEPTH} within each other");
            return Err(Error::InvalidArgument(format!("the schema at {at} is too large: {limit} are allowed")));
        }
        let rule = self.t.rule(format!("the schema at {at}"));
        self.rules.insert(key, rule);
        self.depth += 1;
        let flat = self.flatten(parts)?;
        let body = if flat.never { NOTHING } else { self.combinations(flat)? };
        self.depth -= 1;
        self.t.define(rule, body);
        Ok(rule)
    }

    fn combinations(&mut self, flat: Flat<'s>) -> Result<Id> {
        if flat.choices.is_empty() {
            return self.leaf(&flat.parts);
        }
        let n: usize = flat.choices.iter().map(Vec::len).fold(1, usize::saturating_mul);
        if n > MAX_COMBINATIONS {
            let at = &flat.choices[0][0];
            return Err(
                at.error("anyOf", &format!("it has {n} combinations with others, {MAX_COMBINATIONS} are allowed"))
            );
        }
        let mut ids = Vec::new();
        for i in 0..n {
            let mut left = i;
            let mut parts: Vec<Subschema<'s>> =
                flat.parts.iter().map(|p| Subschema { plain: true, ..p.clone() }).collect();
            for choice in &flat.choices {
                parts.push(choice[left % choice.len()].clone());
                left /= choice.len();
            }
            ids.push(self.value(parts)?);
        }
        Ok(self.t.alt(&ids))
    }

    /// Follow references, `allOf`, `anyOf` and `oneOf`.
    fn flatten(&mut self, parts: Vec<Subschema<'s>>) -> Result<Flat<'s>> {
        let mut flat = Flat::default();
        let mut open = parts;
        open.reverse();
        let mut seen = Vec::new();
        while let Some(part) = open.pop() {
            let address = std::ptr::from_ref(part.schema);
            if seen.contains(&address) {
                continue;
            }
            seen.push(address);
            match part.schema {
                Json::Bool(true) => continue,
                Json::Bool(false) => flat.never = true,
                Json::Object(_) => {}
                other => return Err(part.error(other.kind(), "a schema is an object, true or false")),
            }
            check_keywords(&part)?;
            if !part.plain {
                let mut inner = Vec::new();
                if let Some(reference) = part.get("$ref") {
                    inner.push(self.resolve(&part, reference)?);
                }
                inner.extend(subs(&part, "allOf")?);
                open.extend(inner.into_iter().rev());
                let any = subs(&part, "anyOf")?;
                let one = subs(&part, "oneOf")?;
                self.check_one_of(&part, &one)?;
                flat.choices.extend([any, one].into_iter().filter(|choice| !choice.is_empty()));
            }
            flat.parts.push(part);
        }
        Ok(flat)
    }

    fn resolve(&self, part: &Subschema<'s>, reference: &Json) -> Result<Subschema<'s>> {
        let Json::Text(reference) = reference else { return Err(part.error("$ref", "a string is allowed")) };
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(part.error("$ref", &format!("'{reference}' is not in this schema; '#/...' is allowed")));
        };
        let mut schema = self.root;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("%25", "%").replace("~1", "/").replace("~0", "~");
            let next = match schema {
                Json::Array(items) => token.parse::<usize>().ok().and_then(|i| items.get(i)),
                _ => schema.get(&token),
            };
            schema = next.ok_or_else(|| part.error("$ref", &format!("there is nothing at '{reference}'")))?;
        }
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(part.error("$ref", &format!("'{reference}' is no JSON pointer; anchors are not supported")));
        }
        Ok(Subschema { schema, at: reference.clone(), plain: false })
    }

    /// The values of schemas without alternatives.
    fn leaf(&mut self, parts: &[Subschema<'s>]) -> Result<Id> {
        let kinds = Kinds::of(parts)?;
        let mut ids = Vec::new();
        if let Some(values) = self.listed(parts, kinds)? {
            return Ok(self.t.alt(&values));
        }
        for kind in kinds.each() {
            ids.push(match kind {
                "array" => self.array(parts)?,
                "object" => self.object(parts)?,
                kind => self.scalar(parts, kind)?,
            });
        }
        Ok(self.t.alt(&ids))
    }
}

/// The schemas in a list.
fn subs<'s>(part: &Subschema<'s>, keyword: &str) -> Result<Vec<Subschema<'s>>> {
    let list = part.list(keyword)?;
    Ok(list.iter().enumerate().map(|(i, schema)| part.sub(&format!("{keyword}/{i}"), schema)).collect())
}
