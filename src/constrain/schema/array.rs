//! Arrays.

use super::{Compiler, Subschema, subs};
use crate::constrain::json::{Json, comma};
use crate::constrain::term::{EMPTY, Id, MANY, NOTHING};
use crate::error::Result;

const MAX_PREFIX: usize = 1000;

impl<'s> Compiler<'_, 's> {
    pub(super) fn array(&mut self, parts: &[Subschema<'s>]) -> Result<Id> {
        let (mut least, mut most) = (0, MANY);
        let mut prefixes = Vec::new();
        for part in parts {
            least = least.max(part.count("minItems")?.unwrap_or(0));
            most = most.min(part.count("maxItems")?.unwrap_or(MANY));
            if matches!(part.get("items"), Some(Json::Array(_))) {
                return Err(part.error("items", "an array of schemas is called prefixItems now"));
            }
            let prefix = subs(part, "prefixItems")?;
            if prefix.len() > MAX_PREFIX {
                return Err(
                    part.error("prefixItems", &format!("it has {} schemas, {MAX_PREFIX} are allowed", prefix.len()))
                );
            }
            prefixes.push(prefix);
        }
        let n_prefix = prefixes.iter().map(Vec::len).max().unwrap_or(0);
        let rest = |part: &Subschema<'s>| part.get("items").map(|items| part.sub("items", items));
        let of_others: Vec<Subschema<'s>> = parts.iter().filter_map(rest).collect();
        let other = self.value(of_others)?;
        let comma = comma(self.t);
        let next = self.t.cat(comma, other);
        // What follows `i` items, from the last on.
        let fewer = |n: u32, i: usize| if n == MANY { MANY } else { n.saturating_sub(i as u32) };
        let mut tail = match (n_prefix, most) {
            (0, 0) => {
                if least == 0 {
                    EMPTY
                } else {
                    NOTHING
                }
            }
            (0, _) => {
                let more = self.t.repeat(next, fewer(least, 1), fewer(most, 1));
                let items = self.t.cat(other, more);
                if least == 0 { self.t.opt(items) } else { items }
            }
            (n, most) if most < n as u32 => NOTHING,
            (n, most) => self.t.repeat(next, fewer(least, n), fewer(most, n)),
        };
        for i in (0..n_prefix).rev() {
            let of_item: Vec<Subschema<'s>> = parts
                .iter()
                .zip(&prefixes)
                .filter_map(|(part, prefix)| prefix.get(i).cloned().or_else(|| rest(part)))
                .collect();
            let item = self.value(of_item)?;
            let first = if i == 0 { EMPTY } else { comma };
            let more = if (i as u32) < most { self.t.seq(&[first, item, tail]) } else { NOTHING };
            let end = if i as u32 >= least { EMPTY } else { NOTHING };
            tail = self.t.alt(&[end, more]);
        }
        let (open, close) = (self.t.text("["), self.t.text("]"));
        Ok(self.t.seq(&[open, tail, close]))
    }
}
