//! What templates take from Python: the methods of its strings, dicts and lists, and `str()` of floats.

use minijinja::formatting::{FormatStyle, format};
use minijinja::value::{Tuple, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, Output, State};

use super::json::{float, push_float};
use super::rewrite::SLICE;

/// White space of `str.strip` and `str.split`: four separators more than Unicode's White_Space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Writes a value as `str()` does. The engine does so but for floats.
pub(super) fn write(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    let text = match float(value) {
        Some(x) => {
            let mut text = String::new();
            push_float(&mut text, x, ["nan", "inf", "-inf"]);
            text
        }
        None => value.to_string(),
    };
    out.write_str(&text).map_err(Error::from)
}

/// A method that the engine does not know.
pub(super) fn call_method(_: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    match (value.kind(), value.as_str()) {
        (ValueKind::String | ValueKind::Seq | ValueKind::Iterable, _) if method == SLICE => slice(value, args),
        (_, Some(text)) => call_str(text, method, args),
        (ValueKind::Map, _) => call_dict(value, method, args),
        (ValueKind::Seq | ValueKind::Iterable, _) => call_list(value, method, args),
        _ => Err(ErrorKind::UnknownMethod.into()),
    }
}

fn call_str(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    Ok(match method {
        "strip" => strip(text, args, true, true)?.into(),
        "lstrip" => strip(text, args, true, false)?.into(),
        "rstrip" => strip(text, args, false, true)?.into(),
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            text.strip_prefix(prefix).unwrap_or(text).into()
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            text.strip_suffix(suffix).unwrap_or(text).into()
        }
        "startswith" => starts_or_ends(args, |part| text.starts_with(part))?,
        "endswith" => starts_or_ends(args, |part| text.ends_with(part))?,
        "split" => split(text, args, false)?,
        "rsplit" => split(text, args, true)?,
        "splitlines" => {
            let (keep_ends,): (Option<bool>,) = from_args(args)?;
            split_lines(text, keep_ends.unwrap_or(false))
        }
        "partition" => {
            let (separator,): (&str,) = from_args(args)?;
            match text.split_once(separator) {
                Some((before, after)) => tuple([before, separator, after]),
                None => tuple([text, "", ""]),
            }
        }
        "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            match text.rsplit_once(separator) {
                Some((before, after)) => tuple([before, separator, after]),
                None => tuple(["", "", text]),
            }
        }
        "join" => {
            let (items,): (&Value,) = from_args(args)?;
            let items: Vec<Value> = items.try_iter()?.checked().collect::<Result<_, _>>()?;
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            texts.ok_or_else(|| invalid("join takes strings"))?.join(text).into()
        }
        "replace" => {
            let (old, new, count): (&str, &str, Option<i64>) = from_args(args)?;
            match count.and_then(|count| usize::try_from(count).ok()) {
                Some(count) => text.replacen(old, new, count).into(),
                None => text.replace(old, new).into(),
            }
        }
        "find" | "index" | "rfind" | "rindex" => {
            let (part,): (&str,) = from_args(args)?;
            let found = if method.starts_with('r') { text.rfind(part) } else { text.find(part) };
            match found {
                Some(at) => text[..at].chars().count().into(),
                None if method.ends_with("find") => Value::from(-1),
                None => return Err(invalid("substring not found")),
            }
        }
        "count" => {
            let (part,): (&str,) = from_args(args)?;
            match part {
                "" => (text.chars().count() + 1).into(),
                part => text.matches(part).count().into(),
            }
        }
        "format" => format(FormatStyle::StrFormat, text, args)?.into(),
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            let zeros = width.saturating_sub(text.chars().count()).min(MAX_ZEROS);
            [sign, &"0".repeat(zeros), digits].concat().into()
        }
        _ => {
            let () = from_args(args).map_err(|_| Error::from(ErrorKind::UnknownMethod))?;
            match method {
                "lower" => text.to_lowercase().into(),
                "upper" => text.to_uppercase().into(),
                "title" => title(text).into(),
                "capitalize" => capitalize(text).into(),
                "isspace" => (!text.is_empty() && text.chars().all(is_space)).into(),
                "isdigit" | "isnumeric" | "isdecimal" => {
                    (!text.is_empty() && text.chars().all(char::is_numeric)).into()
                }
                "isalpha" => (!text.is_empty() && text.chars().all(char::is_alphabetic)).into(),
                "isalnum" => (!text.is_empty() && text.chars().all(char::is_alphanumeric)).into(),
                "isascii" => text.is_ascii().into(),
                "isupper" => (text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)).into(),
                "islower" => (text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase)).into(),
                _ => return Err(ErrorKind::UnknownMethod.into()),
            }
        }
    })
}

/// `zfill` of a hostile template pads no further.
const MAX_ZEROS: usize = 1000;

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn tuple(texts: [&str; 3]) -> Value {
    Value::from(Tuple::from(texts.map(Value::from)))
}

/// `str.strip`: of white space, or of the characters given.
pub(super) fn strip<'t>(text: &'t str, args: &[Value], left: bool, right: bool) -> Result<&'t str, Error> {
    let (chars,): (Option<&str>,) = from_args(args)?;
    let goes = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let text = if left { text.trim_start_matches(goes) } else { text };
    Ok(if right { text.trim_end_matches(goes) } else { text })
}

fn starts_or_ends(args: &[Value], is_there: impl Fn(&str) -> bool) -> Result<Value, Error> {
    let (part,): (&Value,) = from_args(args)?;
    if let Some(part) = part.as_str() {
        return Ok(is_there(part).into());
    }
    for part in part.try_iter()?.checked() {
        let part = part?;
        if is_there(part.as_str().ok_or_else(|| invalid("startswith and endswith take strings"))?) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

/// `value[start:stop:step]`
fn slice(value: &Value, args: &[Value]) -> Result<Value, Error> {
    let (start, stop, step): (Option<i64>, Option<i64>, Option<i64>) = from_args(args)?;
    let items: Vec<Value> = match value.as_str() {
        Some(text) => text.chars().map(Value::from).collect(),
        None => value.try_iter()?.checked().collect::<Result<_, _>>()?,
    };
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(invalid("a slice has step 0"));
    }
    // `slice.indices` in CPython: where it starts and before which index it stops, -1 being before the first.
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let (lowest, highest) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |i: i64| (if i < 0 { i.saturating_add(len) } else { i }).clamp(lowest, highest);
    let (first, end) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let (mut at, end) = (start.map_or(first, clamp), stop.map_or(end, clamp));
    let mut picked = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        picked.extend(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned());
        at = at.saturating_add(step);
    }
    Ok(match value.kind() {
        ValueKind::String => picked.iter().filter_map(Value::as_str).collect::<String>().into(),
        _ if value.is_tuple() => Tuple::from(picked).into(),
        _ => picked.into(),
    })
}

/// `str.split` and, from the right, `str.rsplit`.
fn split(text: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator, limit): (Option<&str>, Option<i64>) = from_args(args)?;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let n = limit.saturating_add(1);
    let mut parts: Vec<&str> = match separator {
        Some("") => return Err(invalid("the separator is empty")),
        Some(separator) if from_right => text.rsplitn(n, separator).collect(),
        Some(separator) => text.splitn(n, separator).collect(),
        None => split_space(text, limit, from_right),
    };
    if from_right {
        parts.reverse();
    }
    Ok(parts.into_iter().map(Value::from).collect())
}

/// Split at runs of white space, of which none counts at the ends; what is left at the limit keeps its far end.
fn split_space(text: &str, limit: usize, from_right: bool) -> Vec<&str> {
    let trim = |text: &'_ str| -> usize {
        match from_right {
            true => text.trim_end_matches(is_space).len(),
            false => text.len() - text.trim_start_matches(is_space).len(),
        }
    };
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let edge = trim(rest);
        rest = if from_right { &rest[..edge] } else { &rest[edge..] };
        let found = if from_right { rest.rfind(is_space) } else { rest.find(is_space) };
        match found {
            _ if rest.is_empty() => return parts,
            Some(at) if parts.len() < limit => {
                let end = at + rest[at..].chars().next().map_or(0, char::len_utf8);
                parts.push(if from_right { &rest[end..] } else { &rest[..at] });
                rest = if from_right { &rest[..at] } else { &rest[end..] };
            }
            _ => {
                parts.push(rest);
                return parts;
            }
        }
    }
}

fn split_lines(text: &str, keep_ends: bool) -> Value {
    let is_end =
        |c| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_end).unwrap_or(rest.len());
        let n_end = match &rest[end..] {
            ending if ending.starts_with("\r\n") => 2,
            ending => ending.chars().next().map_or(0, char::len_utf8),
        };
        lines.push(Value::from(&rest[..if keep_ends { end + n_end } else { end }]));
        rest = &rest[end + n_end..];
    }
    Value::from(lines)
}

/// Upper case after anything that has no case, lower case after a letter.
fn title(text: &str) -> String {
    let mut out = String::new();
    let mut in_word = false;
    for c in text.chars() {
        match in_word {
            true => out.extend(c.to_lowercase()),
            false => out.extend(c.to_uppercase()),
        }
        in_word = c.is_lowercase() || c.is_uppercase();
    }
    out
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
}

fn call_dict(dict: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let pairs = || -> Result<Vec<(Value, Value)>, Error> {
        dict.try_iter()?.checked().map(|key| key.and_then(|key| Ok((key.clone(), dict.get_item(&key)?)))).collect()
    };
    Ok(match method {
        "get" => {
            let (key, default): (&Value, Option<Value>) = from_args(args)?;
            match dict.get_item(key)? {
                found if found.is_undefined() => default.unwrap_or(Value::from(())),
                found => found,
            }
        }
        "items" => {
            let () = from_args(args)?;
            pairs()?.into_iter().map(|(key, value)| Value::from(Tuple::from([key, value]))).collect()
        }
        "keys" => {
            let () = from_args(args)?;
            pairs()?.into_iter().map(|(key, _)| key).collect()
        }
        "values" => {
            let () = from_args(args)?;
            pairs()?.into_iter().map(|(_, value)| value).collect()
        }
        "copy" => {
            let () = from_args(args)?;
            dict.clone()
        }
        _ => return Err(ErrorKind::UnknownMethod.into()),
    })
}

fn call_list(list: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (item,): (&Value,) = match method {
        "count" | "index" => from_args(args)?,
        _ => return Err(ErrorKind::UnknownMethod.into()),
    };
    let items: Vec<Value> = list.try_iter()?.checked().collect::<Result<_, _>>()?;
    match method {
        "count" => Ok(items.iter().filter(|other| *other == item).count().into()),
        _ => items.iter().position(|other| other == item).map(Value::from).ok_or_else(|| invalid("value not in list")),
    }
}
