//! Values without others in them, and lists of values.

use super::keywords::{Kinds, OF_PARTS, is_integer};
use super::{Compiler, Subschema};
use crate::constrain::chars::{Chars, Spelling, any_json_char};
use crate::constrain::formats;
use crate::constrain::json::Json;
use crate::constrain::number::{Decimal, Limits, numbers};
use crate::constrain::regex::{Scope, regex};
use crate::constrain::term::{Id, MANY, NOTHING};
use crate::error::{Error, Result};

impl<'s> Compiler<'_, 's> {
    /// The values of `enum` and `const`, if the schemas have them.
    pub(super) fn listed(&mut self, parts: &[Subschema<'s>], kinds: Kinds) -> Result<Option<Vec<Id>>> {
        let mut lists: Vec<(&Subschema<'s>, &'static str, &'s [Json])> = Vec::new();
        for part in parts {
            if part.get("enum").is_some() {
                lists.push((part, "enum", part.list("enum")?));
            }
            if let Some(value) = part.get("const") {
                lists.push((part, "const", std::slice::from_ref(value)));
            }
        }
        let Some((&(part, keyword, values), others)) = lists.split_first() else { return Ok(None) };
        let mut ids = Vec::new();
        for value in values.iter().filter(|value| kinds.has(value.kind())) {
            let id = value.term(self.t);
            let in_all = others.iter().all(|(_, _, list)| list.iter().any(|other| other.term(self.t) == id));
            let fits = if value.is_scalar() {
                let all = self.unlisted(parts, value.kind())?;
                self.t.accepts(all, value.text().as_bytes())
            } else {
                if parts.iter().any(|part| OF_PARTS.iter().any(|keyword| part.get(keyword).is_some())) {
                    return Err(part.error(keyword, "arrays and objects in it can't be held against other keywords"));
                }
                true
            };
            if in_all && fits {
                ids.push(id);
            }
        }
        Ok(Some(ids))
    }

    /// The values of a type that has no parts.
    pub(super) fn scalar(&mut self, parts: &[Subschema<'s>], kind: &'static str) -> Result<Id> {
        let kinds = Kinds::of(parts)?;
        if !kinds.has(kind) {
            return Ok(NOTHING);
        }
        match self.listed(parts, kinds)? {
            Some(values) => {
                let values = self.t.alt(&values);
                let of_kind = self.unlisted(parts, kind)?;
                Ok(self.t.and(values, of_kind))
            }
            None => self.unlisted(parts, kind),
        }
    }

    /// The same, but for `enum` and `const`.
    fn unlisted(&mut self, parts: &[Subschema<'s>], kind: &str) -> Result<Id> {
        match kind {
            "null" => Ok(self.t.text("null")),
            "boolean" => {
                let values = [self.t.text("true"), self.t.text("false")];
                Ok(self.t.alt(&values))
            }
            "number" => self.number(parts),
            _ => self.string(parts),
        }
    }

    fn number(&mut self, parts: &[Subschema<'s>]) -> Result<Id> {
        let mut limits = Limits { integer: parts.iter().any(is_integer), ..Limits::default() };
        for part in parts {
            for (keyword, is_least, excludes) in [
                ("minimum", true, false),
                ("exclusiveMinimum", true, true),
                ("maximum", false, false),
                ("exclusiveMaximum", false, true),
            ] {
                let text = match part.get(keyword) {
                    None => continue,
                    Some(Json::Number(text)) => text,
                    Some(_) => return Err(part.error(keyword, "a number is allowed")),
                };
                let limit = match (limits.integer, excludes) {
                    (true, _) => Decimal::read(text).map(|limit| limit.whole(is_least, !excludes)),
                    (false, true) => Decimal::beyond(text, is_least),
                    (false, false) => Decimal::read(text),
                };
                let limit = limit.map_err(|e| part.error(keyword, &e.to_string()))?;
                let slot = if is_least { &mut limits.least } else { &mut limits.most };
                let is_stricter =
                    slot.as_ref().is_none_or(|old| if is_least { old.less_than(&limit) } else { limit.less_than(old) });
                if is_stricter {
                    *slot = Some(limit);
                }
            }
        }
        Ok(numbers(self.t, &limits))
    }

    fn string(&mut self, parts: &[Subschema<'s>]) -> Result<Id> {
        let (mut least, mut most) = (0, MANY);
        let mut contents = Vec::new();
        for part in parts {
            least = least.max(part.count("minLength")?.unwrap_or(0));
            most = most.min(part.count("maxLength")?.unwrap_or(MANY));
            if let Some(pattern) = part.get("pattern") {
                let Json::Text(pattern) = pattern else { return Err(part.error("pattern", "a string is allowed")) };
                contents.push(self.pattern(part, "pattern", pattern, Scope::Somewhere)?);
            }
            if let Some(format) = part.get("format") {
                let pattern = match format {
                    Json::Text(format) => formats::pattern(format),
                    _ => None,
                };
                let known = format!("{} are supported", formats::KNOWN);
                let pattern = pattern.ok_or_else(|| part.error("format", &known))?;
                contents.push(self.pattern(part, "format", &pattern, Scope::Whole)?);
            }
        }
        let quote = self.t.text("\"");
        let content = if contents.is_empty() {
            let char = any_json_char(self.t);
            self.t.repeat(char, least, most)
        } else {
            let char = Spelling::Json.chars(self.t, &Chars::all());
            let counted = self.t.repeat(char, least, most);
            contents.into_iter().fold(counted, |all, content| self.t.and(all, content))
        };
        Ok(self.t.seq(&[quote, content, quote]))
    }

    /// The contents of strings that a pattern matches.
    pub(super) fn pattern(&mut self, part: &Subschema<'s>, keyword: &str, pattern: &str, scope: Scope) -> Result<Id> {
        regex(self.t, pattern, Spelling::Json, scope).map_err(|e| match e {
            Error::InvalidArgument(why) => part.error(keyword, &why),
            other => other,
        })
    }
}
