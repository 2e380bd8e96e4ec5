//! The methods of Python's strings, lists and dicts that a template can reach.

use super::budget::Budget;
use super::call::{Args, Callable, int, text};
use super::eval::Interpreter;
use super::format::{braces, byte_of};
use super::strings::{is_printable, is_space};
use super::text::{Builder, Str};
use super::value::{Value, View};
use super::{Result, fault, ops};
use crate::tokenizer::unicode::{Categories, Category};

const OF_STR: [&str; 45] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
];
const OF_DICT: [&str; 6] = ["copy", "fromkeys", "get", "items", "keys", "values"];

/// The method of a value by its name.
pub fn name_of(value: &Value, name: &str) -> Option<&'static str> {
    let names: &[&'static str] = match value {
        Value::Str(_) => &OF_STR,
        Value::List(_) => &["copy", "count", "index"],
        Value::Tuple(_) | Value::Range(_) => &["count", "index"],
        Value::Dict(_) => &OF_DICT,
        Value::Float(_) => &["is_integer"],
        Value::Int(_) | Value::Bool(_) => &["bit_length"],
        _ => &[],
    };
    names.iter().find(|method| **method == name).copied()
}

/// Whether the sandbox hides an attribute that the value has: a method that would change it.
pub fn is_forbidden(value: &Value, name: &str) -> bool {
    match value {
        Value::List(_) => ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"].contains(&name),
        Value::Dict(_) => ["clear", "pop", "popitem", "setdefault", "update"].contains(&name),
        _ => false,
    }
}

pub fn call(object: &Value, name: &str, args: Args, it: &Interpreter) -> Result<Value> {
    match object {
        Value::Str(text) => call_str(text, name, args, it),
        Value::Dict(dict) => match name {
            "get" => {
                let [key, default] = by_place(name, args, 1)?;
                let found = dict.find(&key.unwrap_or_default(), it.budget)?;
                Ok(found.cloned().unwrap_or_else(|| default.unwrap_or(Value::None)))
            }
            _ => {
                let []: [_; 0] = by_place(name, args, 0)?;
                Ok(match name {
                    "fromkeys" => fault!("dict.fromkeys is not supported"),
                    "items" => Value::View(View::Items, dict.clone()),
                    "keys" => Value::View(View::Keys, dict.clone()),
                    "values" => Value::View(View::Values, dict.clone()),
                    _ => object.clone(),
                })
            }
        },
        Value::Loop(around) if args.named.is_empty() => match name {
            "cycle" => match around.cycle(args.positional) {
                Some(value) => Ok(value),
                None => fault!("no items for cycling given"),
            },
            _ => Ok(around.changed(args.positional, it)?.into()),
        },
        Value::Callable(callable) => {
            if let Callable::Cycler(_, at) = &**callable {
                at.set(0);
            }
            Ok(Value::None)
        }
        Value::Float(x) => {
            let []: [_; 0] = by_place(name, args, 0)?;
            Ok((x.fract() == 0.0).into())
        }
        other => match (name, other.as_index()) {
            ("bit_length", Some(n)) => Ok(((128 - n.unsigned_abs().leading_zeros()) as usize).into()),
            ("copy", _) => Ok(other.clone()),
            ("count" | "index", _) => {
                let takes_bounds = name == "index" && !matches!(other, Value::Range(_));
                if !takes_bounds && args.positional.len() > 1 {
                    fault!("{name} takes one argument, there are {}", args.positional.len());
                }
                let [wanted, start, stop] = by_place(name, args, 1)?;
                let wanted = wanted.unwrap_or_default();
                let items = ops::items(other, it.budget)?;
                let (start, stop) = bounds(&start, &stop, items.len())?;
                let mut n = 0usize;
                for (i, item) in items.iter().enumerate() {
                    let is_inside = name == "count" || (start..stop).contains(&i);
                    if is_inside && ops::equal(item, &wanted, it.budget)? {
                        if name == "index" {
                            return Ok(i.into());
                        }
                        n += 1;
                    }
                }
                if name == "index" {
                    fault!("the value is not in the {}", other.kind());
                }
                Ok(n.into())
            }
            _ => fault!("{} has no method '{name}'", other.kind()),
        },
    }
}

/// Arguments that have no names.
fn by_place<const N: usize>(what: &str, args: Args, n_required: usize) -> Result<[Option<Value>; N]> {
    args.bind(what, [""; N], n_required)
}

/// `start` and `stop` of a search in `n` items, as slices have them.
fn bounds(start: &Option<Value>, stop: &Option<Value>, n: usize) -> Result<(usize, usize)> {
    let bound = |value: &Option<Value>, default: usize| match value {
        None | Some(Value::None) => Ok(default),
        Some(value) => {
            let at = int("a bound", value)?;
            let at = if at < 0 { at.saturating_add(n as i64).max(0) } else { at };
            Ok(usize::try_from(at).unwrap_or(usize::MAX))
        }
    };
    Ok((bound(start, 0)?, bound(stop, n)?.min(n)))
}

/// A run of characters of a string, by bytes, if its start is in the string.
fn window(s: &str, start: &Option<Value>, stop: &Option<Value>) -> Result<Option<(usize, usize)>> {
    if start.is_none() && stop.is_none() {
        return Ok(Some((0, s.len())));
    }
    let n = s.chars().count();
    let (start, stop) = bounds(start, stop, n)?;
    Ok((start <= n && start <= stop).then(|| (byte_of(s, start), byte_of(s, stop))))
}

fn is_in(c: char, mask: u32) -> bool {
    Categories::get().of(c).is_in(mask)
}

fn is_alpha(c: char) -> bool {
    is_in(c, const { Category::mask("L") })
}

fn is_upper(c: char) -> bool {
    c.is_uppercase()
}

/// `islower`, `isupper`: there is a cased character, and all are of the wanted case.
pub fn has_case(s: &str, upper: bool) -> bool {
    let is_title = |c| is_in(c, const { Category::mask("Lt") });
    let wrong = |c: char| is_title(c) || if upper { c.is_lowercase() } else { c.is_uppercase() };
    let right = |c: char| if upper { c.is_uppercase() } else { c.is_lowercase() };
    s.chars().any(right) && !s.chars().any(wrong)
}

fn push_title(c: char, out: &mut String) {
    // Of what becomes several capitals, only the first is one; digraphs have a form of their own.
    match c {
        'ǆ' | 'Ǆ' | 'ǅ' => out.push('ǅ'),
        'ǉ' | 'Ǉ' | 'ǈ' => out.push('ǈ'),
        'ǌ' | 'Ǌ' | 'ǋ' => out.push('ǋ'),
        'ǳ' | 'Ǳ' | 'ǲ' => out.push('ǲ'),
        c => {
            let mut upper = c.to_uppercase();
            out.extend(upper.next());
            out.extend(upper.flat_map(char::to_lowercase));
        }
    }
}

/// A sigma at the end of a word has a form of its own.
pub fn lower(text: &Str, budget: &Budget) -> Result<Str> {
    let s = text.as_str();
    if !s.contains('Σ') {
        return text.map(budget, |c, out| out.extend(c.to_lowercase()));
    }
    let lowered = s.to_lowercase();
    let mut chars = lowered.chars();
    text.map(budget, |c, out| {
        let n = c.to_lowercase().count();
        out.extend(chars.by_ref().take(n));
    })
}

pub fn upper(text: &Str, budget: &Budget) -> Result<Str> {
    text.map(budget, |c, out| out.extend(c.to_uppercase()))
}

pub fn capitalize(text: &Str, budget: &Budget) -> Result<Str> {
    let first = text.as_str().chars().next().map_or(0, char::len_utf8);
    let mut out = Builder::new(budget);
    out.push(&text.slice(0..first, budget)?.map(budget, push_title)?);
    out.push(&lower(&text.slice(first..text.as_str().len(), budget)?, budget)?);
    Ok(out.finish()?.with_safe(text.is_safe()))
}

fn title(text: &Str, budget: &Budget) -> Result<Str> {
    let mut in_word = false;
    text.map(budget, |c, out| {
        match in_word {
            true => out.extend(c.to_lowercase()),
            false => push_title(c, out),
        }
        in_word = c.is_lowercase() || is_upper(c) || is_in(c, const { Category::mask("Lt") });
    })
}

/// `text.strip(chars)`: white space without `chars`.
pub fn strip(text: &Str, chars: Option<&Value>, left: bool, right: bool, budget: &Budget) -> Result<Str> {
    let chars = match chars {
        None | Some(Value::None) => None,
        Some(chars) => Some(super::call::text("strip", chars)?),
    };
    let is_taken = |c: char| match &chars {
        None => is_space(c),
        Some(chars) => chars.as_str().contains(c),
    };
    let s = text.as_str();
    let start = if left { s.len() - s.trim_start_matches(is_taken).len() } else { 0 };
    let end = if right { s[start..].trim_end_matches(is_taken).len() + start } else { s.len() };
    budget.steps(s.len() / 64)?;
    text.slice(start..end, budget)
}

/// `text.replace(old, new, count)`; all where the count is negative.
pub fn replace(text: &Str, old: &Str, new: &Str, count: i64, budget: &Budget) -> Result<Str> {
    let s = text.as_str();
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let mut out = Builder::new(budget);
    let mut from = 0;
    for (at, found) in s.match_indices(old.as_str()).take(limit) {
        budget.steps(1)?;
        out.push_slice(text, from..at);
        out.push(new);
        from = at + found.len();
    }
    out.push_slice(text, from..s.len());
    Ok(out.finish()?.with_safe(text.is_safe()))
}

/// The lines of a text by all line ends that Python knows, without these.
pub fn lines(text: &Str, keep_ends: bool, budget: &Budget) -> Result<Vec<Str>> {
    let is_end = |c: char| matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let s = text.as_str();
    let mut lines = Vec::new();
    let mut from = 0;
    while let Some((at, c)) = s[from..].char_indices().find(|&(_, c)| is_end(c)) {
        let end = from + at;
        let next = end + if s[end..].starts_with("\r\n") { 2 } else { c.len_utf8() };
        lines.push(text.slice(from..if keep_ends { next } else { end }, budget)?);
        from = next;
    }
    if from < s.len() {
        lines.push(text.slice(from..s.len(), budget)?);
    }
    budget.items(lines.len())?;
    Ok(lines)
}

/// The ranges of `split` and `rsplit`.
fn split(s: &str, separator: Option<&str>, limit: usize, from_right: bool) -> Result<Vec<std::ops::Range<usize>>> {
    let mut parts = Vec::new();
    let (mut start, mut end) = (0, s.len());
    match separator {
        Some("") => fault!("empty separator"),
        Some(separator) => {
            while parts.len() < limit {
                let found = if from_right {
                    s[..end].rfind(separator)
                } else {
                    s[start..].find(separator).map(|at| at + start)
                };
                let Some(at) = found else { break };
                match from_right {
                    true => {
                        parts.push(at + separator.len()..end);
                        end = at;
                    }
                    false => {
                        parts.push(start..at);
                        start = at + separator.len();
                    }
                }
            }
            parts.push(start..end);
        }
        None => {
            let space = |s: &str| s.find(is_space);
            loop {
                if from_right {
                    end = s[..end].trim_end_matches(is_space).len();
                } else {
                    start = s.len() - s[start..].trim_start_matches(is_space).len();
                }
                if start == end {
                    break;
                }
                let found = if from_right {
                    s[..end].rfind(is_space).map(|at| at + s[at..].chars().next().map_or(1, char::len_utf8))
                } else {
                    space(&s[start..]).map(|at| at + start)
                };
                let Some(at) = found.filter(|_| parts.len() < limit) else {
                    parts.push(start..end);
                    break;
                };
                match from_right {
                    true => {
                        parts.push(at..end);
                        end = at;
                    }
                    false => {
                        parts.push(start..at);
                        start = at;
                    }
                }
            }
        }
    }
    if from_right {
        parts.reverse();
    }
    Ok(parts)
}

/// `center`, `ljust`, `rjust`
pub fn justify(text: &Str, width: i64, fill: &str, align: char, budget: &Budget) -> Result<Str> {
    let n = text.as_str().chars().count();
    let width = usize::try_from(width).unwrap_or(0);
    let missing = width.saturating_sub(n);
    let before = match align {
        '<' => 0,
        '>' => missing,
        _ => missing / 2 + (missing & width & 1),
    };
    let mut out = Builder::new(budget);
    out.repeat(fill, before);
    out.push(text);
    out.repeat(fill, missing - before);
    Ok(out.finish()?.with_safe(text.is_safe()))
}

fn call_str(this: &Str, name: &str, args: Args, it: &Interpreter) -> Result<Value> {
    let s = this.as_str();
    let budget = it.budget;
    budget.steps(s.len() / 64)?;
    let strings = |parts: Vec<Str>| parts.into_iter().map(Value::Str).collect::<Vec<_>>();
    Ok(match name {
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = by_place(name, args, 0)?;
            strip(this, chars.as_ref(), name != "rstrip", name != "lstrip", budget)?.into()
        }
        "removeprefix" | "removesuffix" => {
            let [part] = by_place(name, args, 1)?;
            let part = text(name, &part.unwrap_or_default())?;
            let part = part.as_str();
            let range = match name {
                "removeprefix" if s.starts_with(part) => part.len()..s.len(),
                "removesuffix" if s.ends_with(part) => 0..s.len() - part.len(),
                _ => 0..s.len(),
            };
            this.slice(range, budget)?.into()
        }
        "startswith" | "endswith" => {
            let [part, start, stop] = by_place(name, args, 1)?;
            let parts = match part.unwrap_or_default() {
                Value::Tuple(list) => list.items.clone(),
                one => vec![one],
            };
            let window = window(s, &start, &stop)?;
            let mut found = false;
            for part in &parts {
                let part = text(name, part)?;
                let fits = |s: &str| {
                    if name == "startswith" { s.starts_with(part.as_str()) } else { s.ends_with(part.as_str()) }
                };
                found = found || window.is_some_and(|(start, end)| fits(&s[start..end]));
            }
            found.into()
        }
        "split" | "rsplit" => {
            let [separator, limit] = args.bind(name, ["sep", "maxsplit"], 0)?;
            let separator = separator.filter(|value| !matches!(value, Value::None));
            let separator = separator.map(|value| text(name, &value)).transpose()?;
            let limit = limit.map_or(Ok(-1), |limit| int(name, &limit))?;
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let parts = split(s, separator.as_ref().map(Str::as_str), limit, name == "rsplit")?;
            budget.items(parts.len())?;
            let parts = parts.into_iter().map(|range| this.slice(range, budget)).collect::<Result<_>>()?;
            Value::list(strings(parts), budget)?
        }
        "splitlines" => {
            let [keep_ends] = args.bind(name, ["keepends"], 0)?;
            Value::list(strings(lines(this, keep_ends.is_some_and(|keep| keep.is_true()), budget)?), budget)?
        }
        "partition" | "rpartition" => {
            let [separator] = by_place(name, args, 1)?;
            let separator = text(name, &separator.unwrap_or_default())?;
            if separator.as_str().is_empty() {
                fault!("empty separator");
            }
            let is_last = name == "rpartition";
            let found = if is_last { s.rfind(separator.as_str()) } else { s.find(separator.as_str()) };
            let cuts = match found {
                Some(at) => [0..at, at..at + separator.as_str().len(), at + separator.as_str().len()..s.len()],
                None if is_last => [0..0, 0..0, 0..s.len()],
                None => [0..s.len(), 0..0, 0..0],
            };
            let parts = cuts.into_iter().map(|range| this.slice(range, budget)).collect::<Result<_>>()?;
            Value::tuple(strings(parts), budget)?
        }
        "join" => {
            let [items] = by_place(name, args, 1)?;
            let mut out = Builder::new(budget);
            for (i, item) in ops::items(&items.unwrap_or_default(), budget)?.iter().enumerate() {
                if i > 0 {
                    out.push(this);
                }
                match this.is_safe() {
                    true => out.push(&super::strings::escape(item, budget)?),
                    false => out.push(&text("join", item)?),
                }
            }
            out.finish()?.with_safe(this.is_safe()).into()
        }
        "replace" => {
            let [old, new, count] = args.bind(name, ["old", "new", "count"], 2)?;
            let (old, new) = (text(name, &old.unwrap_or_default())?, text(name, &new.unwrap_or_default())?);
            let count = count.map_or(Ok(-1), |count| int(name, &count))?;
            replace(this, &old, &new, count, budget)?.into()
        }
        "find" | "index" | "rfind" | "rindex" | "count" => {
            let [part, start, stop] = by_place(name, args, 1)?;
            let part = text(name, &part.unwrap_or_default())?;
            let part = part.as_str();
            let window = window(s, &start, &stop)?;
            if name == "count" {
                let n = window.map_or(0, |(start, end)| match part {
                    "" => s[start..end].chars().count() + 1,
                    part => s[start..end].matches(part).count(),
                });
                return Ok(n.into());
            }
            let found = window.and_then(|(start, end)| {
                let inside = &s[start..end];
                let at = if name.starts_with('r') { inside.rfind(part) } else { inside.find(part) };
                at.map(|at| at + start)
            });
            match found {
                Some(at) => s[..at].chars().count().into(),
                None if name.ends_with("find") => Value::Int(-1),
                None => fault!("substring not found"),
            }
        }
        "encode" => fault!("bytes, which '{name}' makes, are not supported"),
        "format" => braces(this, &args, it)?.into(),
        "format_map" => {
            let [mapping] = by_place(name, args, 1)?;
            let pairs = mapping.as_ref().and_then(Value::pairs).unwrap_or_default();
            let named =
                pairs.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone()))).collect();
            braces(this, &Args { positional: Vec::new(), named }, it)?.into()
        }
        "center" | "ljust" | "rjust" => {
            let [width, fill] = by_place(name, args, 1)?;
            let fill = fill.map_or(Ok(" ".into()), |fill| text(name, &fill))?;
            if fill.as_str().chars().count() != 1 {
                fault!("{name} fills with one character");
            }
            let align = match name {
                "ljust" => '<',
                "rjust" => '>',
                _ => '^',
            };
            justify(this, int(name, &width.unwrap_or_default())?, fill.as_str(), align, budget)?.into()
        }
        "zfill" => {
            let [width] = by_place(name, args, 1)?;
            let width = usize::try_from(int(name, &width.unwrap_or_default())?).unwrap_or(0);
            let sign = usize::from(s.starts_with(['+', '-']));
            let mut out = Builder::new(budget);
            out.push_slice(this, 0..sign);
            out.repeat("0", width.saturating_sub(s.chars().count()));
            out.push_slice(this, sign..s.len());
            out.finish()?.into()
        }
        "expandtabs" => {
            let [size] = args.bind(name, ["tabsize"], 0)?;
            let size = usize::try_from(size.map_or(Ok(8), |size| int(name, &size))?).unwrap_or(0);
            let mut column = 0;
            this.map(budget, |c, out| match c {
                '\t' if size > 0 => {
                    let n = size - column % size;
                    out.extend(std::iter::repeat_n(' ', n.min(1 << 16)));
                    column += n;
                }
                '\t' => {}
                c => {
                    column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                    out.push(c);
                }
            })?
            .into()
        }
        _ => {
            let []: [_; 0] = by_place(name, args, 0)?;
            let all = |is: &dyn Fn(char) -> bool| !s.is_empty() && s.chars().all(is);
            const DECIMAL: u32 = Category::mask("Nd");
            const NUMERIC: u32 = Category::mask("N");
            let is_digit = |c: char| {
                is_in(c, DECIMAL)
                    || matches!(c, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉' | '①'..='⑨' | '⑴'..='⑼' | '⒈'..='⒐')
            };
            match name {
                "lower" => lower(this, budget)?.into(),
                "upper" => upper(this, budget)?.into(),
                "title" => title(this, budget)?.into(),
                "capitalize" => capitalize(this, budget)?.into(),
                "casefold" => this
                    .map(budget, |c, out| match c {
                        'ß' | 'ẞ' => out.push_str("ss"),
                        'ς' => out.push('σ'),
                        c => out.extend(c.to_lowercase()),
                    })?
                    .into(),
                "swapcase" => this
                    .map(budget, |c, out| match is_upper(c) {
                        true => out.extend(c.to_lowercase()),
                        false => out.extend(c.to_uppercase()),
                    })?
                    .into(),
                "isspace" => all(&is_space).into(),
                "isdecimal" => all(&|c| is_in(c, DECIMAL)).into(),
                "isdigit" => all(&is_digit).into(),
                "isnumeric" => all(&|c| is_in(c, NUMERIC)).into(),
                "isalpha" => all(&is_alpha).into(),
                "isalnum" => all(&|c| is_alpha(c) || is_in(c, NUMERIC)).into(),
                "isascii" => s.is_ascii().into(),
                "isprintable" => s.chars().all(is_printable).into(),
                "isidentifier" => {
                    let is_start = |c: char| c == '_' || is_alpha(c) || is_in(c, const { Category::mask("Nl") });
                    let is_part = |c: char| {
                        is_start(c)
                            || is_in(c, const { Category::mask("Nd") | Category::mask("M") | Category::mask("Pc") })
                    };
                    (s.starts_with(is_start) && s.chars().all(is_part)).into()
                }
                "islower" => has_case(s, false).into(),
                "isupper" => has_case(s, true).into(),
                "istitle" => is_title(s).into(),
                _ => fault!("the method '{name}' is not supported"),
            }
        }
    })
}

/// `istitle`: capitals begin words, and nothing else does.
fn is_title(s: &str) -> bool {
    let (mut in_word, mut found) = (false, false);
    for c in s.chars() {
        let begins = is_upper(c) || is_in(c, const { Category::mask("Lt") });
        if begins && in_word || c.is_lowercase() && !in_word {
            return false;
        }
        in_word = begins || c.is_lowercase();
        found |= in_word;
    }
    found
}
