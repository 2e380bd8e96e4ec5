//! Python's two ways to format: `'%s' % x` (printf-style) and `'{}'.format(x)` (format specification mini-language).

use super::budget::{Budget, MAX_TEXT_BYTES};
use super::call::Args;
use super::eval::Interpreter;
use super::float::{exponent_of, push_float};
use super::strings::{escape, repr, to_str};
use super::text::{Builder, Str};
use super::value::Value;
use super::{Result, fault, ops};

/// How one value is written.
#[derive(Debug, Default)]
struct Spec {
    fill: Option<char>,
    /// `<`, `>`, `^` or `=`; that of the type where there is none.
    align: Option<char>,
    /// `+` or a space before numbers that are not negative.
    sign: Option<char>,
    alternate: bool,
    width: usize,
    /// `,` or `_` between groups of digits.
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn check(&self) -> Result<()> {
        // A number has so many digits at most; widths are texts like others.
        if self.width > MAX_TEXT_BYTES || self.precision.is_some_and(|precision| precision > 1000) {
            fault!("a format with a width or precision that is too large");
        }
        Ok(())
    }

    /// Pads a text, which is a number where `sign_len` says what of it stands before zeros.
    fn pad(&self, text: &Str, sign_len: Option<usize>, budget: &Budget) -> Result<Str> {
        let n = text.as_str().chars().count();
        let missing = self.width.saturating_sub(n);
        if missing == 0 {
            return Ok(text.clone());
        }
        let fill = self.fill.unwrap_or(' ').to_string();
        let align = self.align.unwrap_or(if sign_len.is_some() { '>' } else { '<' });
        let mut out = Builder::new(budget);
        let (before, after) = match align {
            '<' => (0, missing),
            '^' => (missing / 2, missing - missing / 2),
            _ => (missing, 0),
        };
        let sign = if align == '=' { sign_len.unwrap_or(0) } else { 0 };
        out.push_slice(text, 0..sign);
        out.repeat(&fill, before);
        out.push_slice(text, sign..text.as_str().len());
        out.repeat(&fill, after);
        out.finish()
    }

    /// A number's digits with its sign and prefix.
    fn number(&self, is_negative: bool, prefix: &str, digits: &str, budget: &Budget) -> Result<Str> {
        let sign = match (is_negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            _ => "",
        };
        let mut digits = digits.to_owned();
        if let Some(separator) = self.grouping {
            let size = if matches!(self.kind, Some('x' | 'X' | 'o' | 'b')) { 4 } else { 3 };
            let whole = digits.find(['.', 'e', 'E', '%']).unwrap_or(digits.len());
            for at in (1..whole).filter(|at| (whole - at).is_multiple_of(size)).rev() {
                digits.insert(at, separator);
            }
        }
        let start = format!("{sign}{prefix}");
        self.pad(&format!("{start}{digits}").as_str().into(), Some(start.len()), budget)
    }

    fn int(&self, n: i128, budget: &Budget) -> Result<Str> {
        let magnitude = n.unsigned_abs();
        let (prefix, mut digits) = match self.kind {
            Some('x') => ("0x", format!("{magnitude:x}")),
            Some('X') => ("0X", format!("{magnitude:X}")),
            Some('o') => ("0o", format!("{magnitude:o}")),
            Some('b') => ("0b", format!("{magnitude:b}")),
            _ => ("", magnitude.to_string()),
        };
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        digits.insert_str(0, &"0".repeat(zeros));
        self.number(n < 0, if self.alternate { prefix } else { "" }, &digits, budget)
    }

    fn float(&self, x: f64, budget: &Budget) -> Result<Str> {
        let magnitude = x.abs();
        let is_upper = self.kind.is_some_and(char::is_uppercase);
        let precision = self.precision.unwrap_or(6);
        let mut digits = match self.kind.map(|kind| kind.to_ascii_lowercase()) {
            _ if !x.is_finite() => (if x.is_nan() { "nan" } else { "inf" }).to_owned(),
            Some('f') => format!("{magnitude:.precision$}"),
            Some('e') => scientific(magnitude, precision),
            Some('%') => format!("{:.precision$}%", magnitude * 100.0),
            Some(_) => general(magnitude, precision, self.alternate),
            None if self.precision.is_none() => {
                let mut text = String::new();
                push_float(&mut text, magnitude, ["nan", "inf", "inf"]);
                text
            }
            None => {
                let text = general(magnitude, precision, false);
                if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
            }
        };
        if is_upper {
            digits.make_ascii_uppercase();
        }
        self.number(x.is_sign_negative() && !x.is_nan(), "", &digits, budget)
    }
}

fn scientific(x: f64, precision: usize) -> String {
    let text = format!("{x:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{digits}{}", exponent_of(exponent.parse().unwrap_or(0)))
}

/// `%g`: so many significant digits, with an exponent where it is small or large.
fn general(x: f64, precision: usize, keeps_zeros: bool) -> String {
    let precision = precision.max(1);
    let text = format!("{x:.*e}", precision - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') && !keeps_zeros {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i32 {
        return format!("{}{}", trim(digits), exponent_of(exponent));
    }
    trim(&format!("{x:.*}", (precision as i32 - 1 - exponent) as usize))
}

/// `text % values`
pub fn percent(text: &Str, values: &Value, budget: &Budget) -> Result<Str> {
    let all = match values {
        Value::Tuple(list) => list.items.clone(),
        one => vec![one.clone()],
    };
    let mut values_left = all.into_iter();
    let mut next = || match values_left.next() {
        Some(value) => Ok(value),
        None => fault!("not enough arguments for format string"),
    };
    let s = text.as_str();
    let mut out = Builder::new(budget);
    let mut at = 0;
    while let Some(found) = s[at..].find('%') {
        out.push_slice(text, at..at + found);
        at += found + 1;
        budget.steps(1)?;
        let mut chars = s[at..].char_indices().peekable();
        let mut key = None;
        if chars.peek().is_some_and(|&(_, c)| c == '(') {
            let Some(end) = s[at..].find(')') else { fault!("incomplete format key") };
            key = Some(&s[at + 1..at + end]);
            while chars.peek().is_some_and(|&(i, _)| i <= end) {
                chars.next();
            }
        }
        let mut spec = Spec::default();
        while let Some((_, flag)) = chars.next_if(|&(_, c)| "#0- +".contains(c)) {
            match flag {
                '#' => spec.alternate = true,
                '-' => spec.align = Some('<'),
                '0' => spec.fill = Some('0'),
                sign if spec.sign != Some('+') => spec.sign = Some(sign),
                _ => {}
            }
        }
        let mut size = |chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>| -> Result<usize> {
            if chars.next_if(|&(_, c)| c == '*').is_some() {
                return Ok(usize::try_from(super::call::int("a width", &next()?)?.max(0)).unwrap_or(0));
            }
            let mut n = 0usize;
            while let Some((_, c)) = chars.next_if(|&(_, c)| c.is_ascii_digit()) {
                n = n.saturating_mul(10).saturating_add(c as usize - '0' as usize);
            }
            Ok(n)
        };
        spec.width = size(&mut chars)?;
        if chars.next_if(|&(_, c)| c == '.').is_some() {
            spec.precision = Some(size(&mut chars)?);
        }
        spec.check()?;
        while chars.next_if(|&(_, c)| "hlL".contains(c)).is_some() {}
        let Some((i, kind)) = chars.next() else { fault!("incomplete format") };
        at += i + kind.len_utf8();
        if kind == '%' {
            out.write("%");
            continue;
        }
        let value = match key {
            None => next()?,
            Some(key) => match values {
                Value::Dict(_) => match values.get(key) {
                    Some(value) => value.clone(),
                    None => fault!("there is no '{key}' to format"),
                },
                other => fault!("format requires a mapping, there is {}", other.kind()),
            },
        };
        // Zeros go between sign and digits, unless the text is to the left.
        if spec.fill.is_some() {
            match spec.align {
                None if !matches!(kind, 's' | 'r' | 'a' | 'c') => spec.align = Some('='),
                _ => spec.fill = None,
            }
        }
        spec.kind = Some(kind);
        out.push(&percent_one(&spec, kind, &value, text.is_safe(), budget)?);
    }
    out.push_slice(text, at..s.len());
    let is_mapping = matches!(values, Value::Dict(_) | Value::List(_));
    if !is_mapping && values_left.next().is_some() {
        fault!("not all arguments converted during string formatting");
    }
    Ok(out.finish()?.with_safe(text.is_safe()))
}

fn percent_one(spec: &Spec, kind: char, value: &Value, safe: bool, budget: &Budget) -> Result<Str> {
    let as_text = |text: Str| {
        let cut = match spec.precision {
            Some(n) => text.slice(0..byte_of(text.as_str(), n), budget)?,
            None => text,
        };
        let spec = Spec { align: spec.align.or(Some('>')), width: spec.width, ..Spec::default() };
        spec.pad(&cut, None, budget)
    };
    match kind {
        's' if safe => as_text(escape(value, budget)?),
        's' => as_text(to_str(value, budget)?),
        'r' | 'a' => {
            let mut out = Builder::new(budget);
            repr(value, &mut out, budget)?;
            as_text(out.finish()?)
        }
        'c' => match (value, value.as_index()) {
            (Value::Str(text), _) if text.as_str().chars().count() == 1 => as_text(text.clone()),
            (_, Some(n)) => match u32::try_from(n).ok().and_then(char::from_u32) {
                Some(c) => as_text(c.to_string().as_str().into()),
                None => fault!("%c: {n} is no character"),
            },
            _ => fault!("%c requires an integer or a character"),
        },
        'd' | 'i' | 'u' => match (value.as_index(), value) {
            (Some(n), _) => spec.int(n, budget),
            (None, Value::Float(x)) if x.is_finite() => spec.int(x.trunc() as i128, budget),
            _ => fault!("%{kind} format: a number is required, not {}", value.kind()),
        },
        'x' | 'X' | 'o' => match value.as_index() {
            Some(n) => spec.int(n, budget),
            None => fault!("%{kind} format: an integer is required, not {}", value.kind()),
        },
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => match value.as_float() {
            Some(x) => spec.float(x, budget),
            None => fault!("%{kind} format: a number is required, not {}", value.kind()),
        },
        _ => fault!("unsupported format character '{kind}'"),
    }
}

/// The byte where the n-th character begins, or the end.
pub fn byte_of(text: &str, n: usize) -> usize {
    text.char_indices().nth(n).map_or(text.len(), |(at, _)| at)
}

fn parse_spec(spec: &str) -> Result<Spec> {
    let mut parsed = Spec::default();
    let chars: Vec<char> = spec.chars().collect();
    let is_align = |c: Option<&char>| c.is_some_and(|c| "<>^=".contains(*c));
    let mut at = 0;
    if is_align(chars.get(1)) {
        (parsed.fill, parsed.align, at) = (Some(chars[0]), Some(chars[1]), 2);
    } else if is_align(chars.first()) {
        (parsed.align, at) = (Some(chars[0]), 1);
    }
    let eat = |allowed: &str, at: &mut usize| {
        let found = chars.get(*at).copied().filter(|c| allowed.contains(*c));
        *at += usize::from(found.is_some());
        found
    };
    parsed.sign = eat("+- ", &mut at);
    parsed.alternate = eat("#", &mut at).is_some();
    if eat("0", &mut at).is_some() {
        parsed.fill.get_or_insert('0');
        parsed.align.get_or_insert('=');
    }
    let size = |at: &mut usize| {
        let mut n = None;
        while let Some(c) = chars.get(*at).filter(|c| c.is_ascii_digit()) {
            n = Some(n.unwrap_or(0usize).saturating_mul(10).saturating_add(*c as usize - '0' as usize));
            *at += 1;
        }
        n
    };
    parsed.width = size(&mut at).unwrap_or(0);
    parsed.grouping = eat(",_", &mut at);
    if eat(".", &mut at).is_some() {
        parsed.precision = size(&mut at);
        if parsed.precision.is_none() {
            fault!("format specifier missing precision");
        }
    }
    parsed.kind = chars.get(at).copied();
    if at + usize::from(parsed.kind.is_some()) != chars.len() {
        fault!("invalid format specifier '{spec}'");
    }
    parsed.check()?;
    Ok(parsed)
}

/// `format(value, spec)`
fn format_one(value: &Value, spec: &str, budget: &Budget) -> Result<Str> {
    if spec.is_empty() {
        return to_str(value, budget);
    }
    let spec = parse_spec(spec)?;
    match (value, spec.kind) {
        (Value::Str(text), None | Some('s')) => {
            if spec.align == Some('=') && spec.fill != Some('0') || spec.sign.is_some() || spec.grouping.is_some() {
                fault!("a format for numbers, there is a string");
            }
            let cut = text.slice(0..byte_of(text.as_str(), spec.precision.unwrap_or(usize::MAX)), budget)?;
            let align = if spec.align == Some('=') { Some('<') } else { spec.align };
            Spec { align, ..spec }.pad(&cut, None, budget)
        }
        (Value::Bool(_) | Value::Int(_), None | Some('d' | 'n' | 'x' | 'X' | 'o' | 'b'))
            if spec.precision.is_none() =>
        {
            if let (Value::Bool(_), None) = (value, spec.kind) {
                return spec.int(value.as_index().unwrap_or(0), budget);
            }
            spec.int(value.as_index().unwrap_or(0), budget)
        }
        (Value::Int(_) | Value::Bool(_), Some('c')) => percent_one(&spec, 'c', value, false, budget),
        (Value::Float(_), None | Some('n')) | (_, Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) => {
            match value.as_float() {
                Some(x) => spec.float(x, budget),
                None => fault!("a format for numbers, there is {}", value.kind()),
            }
        }
        (Value::Undefined, _) => fault!("undefined value"),
        (other, _) => fault!("a format specifier that {} has not", other.kind()),
    }
}

/// `text.format(…)`
pub fn braces(text: &Str, args: &Args, it: &Interpreter) -> Result<Str> {
    let mut next = 0;
    let out = braces_at(text, 0..text.as_str().len(), args, &mut next, 2, it)?;
    Ok(out.with_safe(text.is_safe()))
}

fn braces_at(
    text: &Str,
    range: std::ops::Range<usize>,
    args: &Args,
    next: &mut usize,
    levels: u32,
    it: &Interpreter,
) -> Result<Str> {
    if levels == 0 {
        fault!("max string recursion exceeded");
    }
    let s = &text.as_str()[..range.end];
    let mut out = Builder::new(it.budget);
    let mut at = range.start;
    while let Some(found) = s[at..].find(['{', '}']) {
        out.push_slice(text, at..at + found);
        at += found;
        it.budget.steps(1)?;
        let brace = &s[at..at + 1];
        if s[at + 1..].starts_with(brace) {
            out.push_slice(text, at..at + 1);
            at += 2;
            continue;
        }
        if brace == "}" {
            fault!("single '}}' encountered in format string");
        }
        // To the brace that closes this one.
        let mut open = 1;
        let end = s[at + 1..].find(|c| {
            open += i32::from(c == '{') - i32::from(c == '}');
            open == 0
        });
        let Some(end) = end.map(|end| at + 1 + end) else { fault!("expected '}}' before end of string") };
        let field = &s[at + 1..end];
        let (field, spec) = match field.find(':') {
            Some(colon) => {
                let spec = at + 1 + colon + 1..end;
                (&field[..colon], braces_later(text, spec, args, levels, it))
            }
            None => (field, None),
        };
        let (path, conversion) = match field.split_once('!') {
            Some((path, conversion)) => (path, Some(conversion)),
            None => (field, None),
        };
        let mut value = field_value(path, args, next, it)?;
        match conversion {
            None => {}
            Some("s") => value = to_str(&value, it.budget)?.into(),
            Some("r" | "a") => {
                let mut text = Builder::new(it.budget);
                repr(&value, &mut text, it.budget)?;
                value = text.finish()?.into();
            }
            Some(other) => fault!("unknown conversion '{other}'"),
        }
        let spec = match spec {
            Some(spec) => spec(next)?,
            None => "".into(),
        };
        match (&value, text.is_safe()) {
            (value, true) if spec.as_str().is_empty() => out.push(&escape(value, it.budget)?),
            (value, _) => out.push(&format_one(value, spec.as_str(), it.budget)?),
        }
        at = end + 1;
    }
    out.push_slice(text, at..range.end);
    out.finish()
}

/// The specification of a field, which may have fields itself. They are counted after the field's own name.
fn braces_later<'a>(
    text: &'a Str,
    range: std::ops::Range<usize>,
    args: &'a Args,
    levels: u32,
    it: &'a Interpreter,
) -> Option<impl FnOnce(&mut usize) -> Result<Str> + 'a> {
    Some(move |next: &mut usize| braces_at(text, range, args, next, levels - 1, it))
}

/// The value of `name.attribute[item]`, `0` or nothing.
fn field_value(path: &str, args: &Args, next: &mut usize, it: &Interpreter) -> Result<Value> {
    let first = path.find(['.', '[']).unwrap_or(path.len());
    let (name, mut rest) = path.split_at(first);
    let index = if name.is_empty() {
        *next += 1;
        Some(*next - 1)
    } else {
        name.parse().ok()
    };
    let value = match index {
        Some(i) => args.positional.get(i),
        None => args.named.iter().find(|(other, _)| other == name).map(|(_, value)| value),
    };
    let Some(mut value) = value.cloned() else { fault!("there is no argument '{name}' to format") };
    while !rest.is_empty() {
        if let Some(attribute) = rest.strip_prefix('.') {
            let end = attribute.find(['.', '[']).unwrap_or(attribute.len());
            value = it.attribute(&value, &attribute[..end])?;
            rest = &attribute[end..];
        } else {
            let Some(end) = rest.find(']') else { fault!("missing ']' in format string") };
            let key = &rest[1..end];
            let key = key.parse().map_or_else(|_| Value::text(key), Value::Int);
            value = match ops::item(&value, &key, it.budget)? {
                Some(item) => item,
                None => it.item(&value, &key)?,
            };
            rest = &rest[end + 1..];
        }
    }
    Ok(value)
}
