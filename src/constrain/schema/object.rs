//! Objects.

use super::{Compiler, Subschema, token};
use crate::constrain::chars::{Chars, Spelling};
use crate::constrain::json::{Json, comma, keyed, member};
use crate::constrain::regex::Scope;
use crate::constrain::term::{Id, NOTHING};
use crate::error::Result;

const MAX_PROPERTIES: usize = 1000;

/// What objects of some schemas have.
struct Shape<'s> {
    /// Names in the schemas' order, and whether they must be there.
    names: Vec<(String, bool)>,
    /// The contents of keys that a pattern matches, the pattern's schema and the place of its owner.
    patterns: Vec<(Id, Subschema<'s>, usize)>,
}

impl<'s> Compiler<'_, 's> {
    fn shape(&mut self, parts: &[Subschema<'s>]) -> Result<Shape<'s>> {
        let mut names: Vec<(String, bool)> = Vec::new();
        let mut patterns = Vec::new();
        for part in parts {
            for (name, _) in part.entries("properties")? {
                if !names.iter().any(|(other, _)| other == name) {
                    names.push((name.clone(), false));
                }
            }
        }
        for (owner, part) in parts.iter().enumerate() {
            let required = match part.get("required") {
                Some(Json::Array(names)) => names.as_slice(),
                None => &[],
                Some(_) => return Err(part.error("required", "an array of names is allowed")),
            };
            for name in required {
                let Json::Text(name) = name else { return Err(part.error("required", "an array of names is allowed")) };
                match names.iter_mut().find(|(other, _)| other == name) {
                    Some((_, required)) => *required = true,
                    None => names.push((name.clone(), true)),
                }
            }
            for (pattern, schema) in part.entries("patternProperties")? {
                let content = self.pattern(part, "patternProperties", pattern, Scope::Somewhere)?;
                patterns.push((content, part.sub(&format!("patternProperties/{}", token(pattern)), schema), owner));
            }
        }
        if names.len() > MAX_PROPERTIES {
            let at = &parts[0];
            return Err(
                at.error("properties", &format!("there are {} names, {MAX_PROPERTIES} are allowed", names.len()))
            );
        }
        Ok(Shape { names, patterns })
    }

    /// The schemas of a property's value.
    fn property(&mut self, parts: &[Subschema<'s>], shape: &Shape<'s>, name: &str) -> Result<Vec<Subschema<'s>>> {
        let text = Json::Text(name.to_owned()).text();
        let content = &text.as_bytes()[1..text.len() - 1];
        let mut of_value = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            let n = of_value.len();
            let own = part.entries("properties")?.iter().rfind(|(other, _)| other == name);
            of_value.extend(own.map(|(_, schema)| part.sub(&format!("properties/{}", token(name)), schema)));
            for (pattern, schema, owner) in &shape.patterns {
                if *owner == i && self.t.accepts(*pattern, content) {
                    of_value.push(schema.clone());
                }
            }
            if of_value.len() == n {
                of_value.extend(additional(part));
            }
        }
        Ok(of_value)
    }

    /// The schemas of a property that both sets demand or one demands, each set's: see `disjoint`.
    pub(super) fn required_properties(
        &mut self,
        a: &[Subschema<'s>],
        b: &[Subschema<'s>],
    ) -> Result<Vec<(Vec<Subschema<'s>>, Vec<Subschema<'s>>)>> {
        let (shape_a, shape_b) = (self.shape(a)?, self.shape(b)?);
        let required = shape_a.names.iter().chain(&shape_b.names).filter(|(_, required)| *required);
        let mut pairs = Vec::new();
        for (name, _) in required {
            pairs.push((self.property(a, &shape_a, name)?, self.property(b, &shape_b, name)?));
        }
        Ok(pairs)
    }

    pub(super) fn object(&mut self, parts: &[Subschema<'s>]) -> Result<Id> {
        let shape = self.shape(parts)?;
        let other = self.other_member(parts, &shape)?;
        check_counts(parts, &shape, other)?;
        let comma = comma(self.t);
        // What follows where something was written, and where nothing was: from the last name on.
        let next = self.t.cat(comma, other);
        let mut tail = self.t.star(next);
        let first = self.t.cat(other, tail);
        let mut first = self.t.opt(first);
        for (name, required) in shape.names.iter().rev() {
            let of_value = self.property(parts, &shape, name)?;
            let value = self.value(of_value)?;
            let member = member(self.t, name, value);
            let here = self.t.seq(&[member, tail]);
            let after = self.t.seq(&[comma, member, tail]);
            first = if *required { here } else { self.t.alt(&[here, first]) };
            tail = if *required { after } else { self.t.alt(&[after, tail]) };
        }
        let (open, close) = (self.t.text("{"), self.t.text("}"));
        Ok(self.t.seq(&[open, first, close]))
    }

    /// A member whose name has no schema of its own.
    fn other_member(&mut self, parts: &[Subschema<'s>], shape: &Shape<'s>) -> Result<Id> {
        let char = Spelling::Json.chars(self.t, &Chars::all());
        let any = self.t.star(char);
        let names: Vec<Id> = shape.names.iter().map(|(name, _)| Spelling::Json.text(self.t, name)).collect();
        let names = self.t.alt(&names);
        let unnamed = if names == NOTHING { any } else { self.t.and_not(any, names) };
        let mut members = Vec::new();
        let mut rest = unnamed;
        for (pattern, schema, owner) in &shape.patterns {
            let keys = self.t.and(unnamed, *pattern);
            let new = self.t.and(rest, *pattern);
            if keys == NOTHING {
                continue;
            }
            // Two patterns that both match a name would have to be told apart.
            let overlap = self.t.and_not(keys, rest);
            if overlap != NOTHING {
                return Err(schema.error("patternProperties", "another pattern matches some of the same names"));
            }
            let others = parts.iter().enumerate().filter(|(i, _)| i != owner).filter_map(|(_, part)| additional(part));
            let of_value = others.chain([schema.clone()]).collect();
            members.push(self.other(new, of_value)?);
            rest = self.t.and_not(rest, *pattern);
        }
        if rest != NOTHING {
            let of_value: Vec<Subschema<'s>> = parts.iter().filter_map(additional).collect();
            members.push(self.other(rest, of_value)?);
        }
        Ok(self.t.alt(&members))
    }

    fn other(&mut self, key: Id, of_value: Vec<Subschema<'s>>) -> Result<Id> {
        if of_value.iter().any(|part| part.schema == &Json::Bool(false)) {
            return Ok(NOTHING);
        }
        let value = self.value(of_value)?;
        let quote = self.t.text("\"");
        let key = self.t.seq(&[quote, key, quote]);
        Ok(keyed(self.t, key, value))
    }
}

/// The schema of names without one of their own.
fn additional<'s>(part: &Subschema<'s>) -> Option<Subschema<'s>> {
    part.get("additionalProperties").map(|schema| part.sub("additionalProperties", schema))
}

/// Members can't be counted: a limit must hold by itself.
fn check_counts(parts: &[Subschema<'_>], shape: &Shape<'_>, other: Id) -> Result<()> {
    let n_required = shape.names.iter().filter(|(_, required)| *required).count();
    for part in parts {
        if part.count("minProperties")?.is_some_and(|least| least as usize > n_required) {
            return Err(part.error("minProperties", "members are not counted; use required"));
        }
        let is_more = |most: u32| other != NOTHING || shape.names.len() > most as usize;
        if part.count("maxProperties")?.is_some_and(is_more) {
            return Err(part.error("maxProperties", "members are not counted; use additionalProperties: false"));
        }
    }
    Ok(())
}
