//! Whether no value is in two schemas, as `oneOf` wants it.

use super::keywords::Kinds;
use super::{Compiler, Subschema};
use crate::constrain::term::NOTHING;
use crate::error::Result;

/// Objects in objects that are looked at.
const MAX_DEPTH: usize = 4;
/// Schemas of a `oneOf`, each of which is compared with each.
const MAX_BRANCHES: usize = 64;

impl<'s> Compiler<'_, 's> {
    /// # Errors
    /// `InvalidArgument` if two schemas of a `oneOf` may both hold.
    pub(super) fn check_one_of(&mut self, part: &Subschema<'s>, branches: &[Subschema<'s>]) -> Result<()> {
        if branches.len() > MAX_BRANCHES {
            return Err(part.error("oneOf", &format!("it has {} schemas, {MAX_BRANCHES} are allowed", branches.len())));
        }
        for (i, a) in branches.iter().enumerate() {
            for (j, b) in branches.iter().enumerate().skip(i + 1) {
                if !self.disjoint(vec![a.clone()], vec![b.clone()], 0)? {
                    let why = format!(
                        "its schemas {i} and {j} may both hold; use anyOf, or a required property with a const"
                    );
                    return Err(part.error("oneOf", &why));
                }
            }
        }
        Ok(())
    }

    /// Whether two sets of schemas are known to have no value in common.
    fn disjoint(&mut self, a: Vec<Subschema<'s>>, b: Vec<Subschema<'s>>, depth: usize) -> Result<bool> {
        if depth > MAX_DEPTH {
            return Ok(false);
        }
        let (a, b) = (self.flatten_for_comparison(a)?, self.flatten_for_comparison(b)?);
        let (Some(a), Some(b)) = (a, b) else { return Ok(true) };
        let (kinds_a, kinds_b) = (Kinds::of(&a)?, Kinds::of(&b)?);
        for kind in kinds_a.each().filter(|kind| kinds_b.has(kind)) {
            let apart = match kind {
                "array" => false,
                "object" => {
                    let mut apart = false;
                    for (of_a, of_b) in self.required_properties(&a, &b)? {
                        apart = apart || self.disjoint(of_a, of_b, depth + 1)?;
                    }
                    apart
                }
                kind => {
                    let (in_a, in_b) = (self.scalar(&a, kind)?, self.scalar(&b, kind)?);
                    self.t.and(in_a, in_b) == NOTHING
                }
            };
            // Lists of values have none of some types that they allow.
            if !(apart || self.lists_no(&a, kind)? || self.lists_no(&b, kind)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the schemas list their values, and none of this type.
    fn lists_no(&mut self, parts: &[Subschema<'s>], kind: &str) -> Result<bool> {
        for part in parts {
            let in_enum = part.get("enum").is_some() && part.list("enum")?.iter().all(|value| value.kind() != kind);
            if in_enum || part.get("const").is_some_and(|value| value.kind() != kind) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The schemas that hold in any case; `None` if no value does. `anyOf` and `oneOf` are left out: they allow less still.
    fn flatten_for_comparison(&mut self, parts: Vec<Subschema<'s>>) -> Result<Option<Vec<Subschema<'s>>>> {
        let mut open = parts;
        let mut flat: Vec<Subschema<'s>> = Vec::new();
        while let Some(part) = open.pop() {
            if flat.iter().any(|other| std::ptr::eq(other.schema, part.schema)) {
                continue;
            }
            if part.schema == &crate::constrain::json::Json::Bool(false) {
                return Ok(None);
            }
            if let Some(reference) = part.get("$ref") {
                open.push(self.resolve(&part, reference)?);
            }
            open.extend(super::subs(&part, "allOf")?);
            flat.push(part);
        }
        Ok(Some(flat))
    }
}
