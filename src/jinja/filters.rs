//! Filters: Jinja2's, with `tojson` as transformers has it and `from_json` of llama.cpp, for which some templates are
//! written.

use super::ast::Binary;
use super::budget::Budget;
use super::call::{Args, int, text};
use super::dict::insert;
use super::eval::Interpreter;
use super::json::{self, Style};
use super::sort::sort;
use super::strings::{escape, is_space, repr, to_str};
use super::text::{Builder, Str};
use super::value::{Value, View};
use super::{Result, fault, float, format, methods, ops, tests};

const NAMES: [&str; 55] = [
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "from_json",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
    "wordwrap",
    "xmlattr",
];

pub fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether an argument that may be missing is true.
fn flag(value: Option<Value>, default: bool) -> bool {
    value.map_or(default, |value| value.is_true())
}

fn given(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !matches!(value, Value::None))
}

pub fn apply(name: &str, value: Value, args: Args, it: &Interpreter) -> Result<Value> {
    let budget = it.budget;
    // A filter that the list lacks is none, so that `is filter` and this agree.
    if !exists(name) {
        fault!("there is no filter '{name}'");
    }
    Ok(match name {
        "default" | "d" => {
            let [default, boolean] = args.bind(name, ["default_value", "boolean"], 0)?;
            let is_missing = matches!(value, Value::Undefined) || flag(boolean, false) && !value.is_true();
            if is_missing { default.unwrap_or_else(|| Value::text("")) } else { value }
        }
        "length" | "count" => {
            let []: [_; 0] = args.bind(name, [], 0)?;
            ops::len(&value)?.into()
        }
        "tojson" => to_json(&value, args, budget)?.into(),
        "from_json" => {
            let text = text(name, &value)?;
            json::parse(text.as_str()).map_err(|error| super::Fault::new(error.to_string()))?
        }
        "trim" => {
            let [chars] = args.bind(name, ["chars"], 0)?;
            methods::strip(&to_str(&value, budget)?, chars.as_ref(), true, true, budget)?.into()
        }
        "string" => to_str(&value, budget)?.into(),
        "safe" => to_str(&value, budget)?.with_safe(true).into(),
        "e" | "escape" => escape(&value, budget)?.into(),
        "forceescape" => escape(&to_str(&value, budget)?.with_safe(false).into(), budget)?.into(),
        "upper" => methods::upper(&to_str(&value, budget)?, budget)?.into(),
        "lower" => methods::lower(&to_str(&value, budget)?, budget)?.into(),
        "capitalize" => methods::capitalize(&to_str(&value, budget)?, budget)?.into(),
        "title" => title(&to_str(&value, budget)?, budget)?.into(),
        "center" => {
            let [width] = args.bind(name, ["width"], 0)?;
            let width = width.map_or(Ok(80), |width| int(name, &width))?;
            methods::justify(&to_str(&value, budget)?, width, " ", '^', budget)?.into()
        }
        "replace" => {
            let [old, new, count] = args.bind(name, ["old", "new", "count"], 2)?;
            let string = |value: Option<Value>| to_str(&value.unwrap_or_default(), budget);
            let count = given(count).map_or(Ok(-1), |count| int(name, &count))?;
            methods::replace(&to_str(&value, budget)?.with_safe(false), &string(old)?, &string(new)?, count, budget)?
                .into()
        }
        "format" => {
            if !args.named.is_empty() && !args.positional.is_empty() {
                fault!("format can't handle positional and named arguments at the same time");
            }
            let values = match args.named.is_empty() {
                true => Value::tuple(args.positional, budget)?,
                false => named_dict(args.named, budget)?,
            };
            format::percent(&to_str(&value, budget)?, &values, budget)?.into()
        }
        "indent" => indent(&value, args, budget)?.into(),
        "join" => join(&value, args, it)?.into(),
        "first" => match &value {
            Value::Iter(iter) => iter.next()?.unwrap_or_default(),
            Value::List(list) | Value::Tuple(list) => list.items.first().cloned().unwrap_or_default(),
            other => ops::items(other, budget)?.into_iter().next().unwrap_or_default(),
        },
        "last" => match &value {
            Value::Iter(_) => fault!("last takes a sequence, there is a generator; make it a list first"),
            Value::List(list) | Value::Tuple(list) => list.items.last().cloned().unwrap_or_default(),
            other => ops::items(other, budget)?.pop().unwrap_or_default(),
        },
        "random" => {
            let items = ops::items(&value, budget)?;
            let n = items.len().max(1);
            items.into_iter().nth(it.now.seconds() as usize % n).unwrap_or_default()
        }
        "list" => Value::list(ops::items(&value, budget)?, budget)?,
        "reverse" => match &value {
            Value::Str(_) => ops::slice(&value, [None, None, Some(-1)], budget)?,
            other => {
                let mut items = ops::items(other, budget)?;
                items.reverse();
                Value::iter(items.into_iter().map(Ok), budget)?
            }
        },
        "items" => match &value {
            Value::Undefined => Value::iter(std::iter::empty(), budget)?,
            Value::Dict(dict) => {
                let pairs = ops::items(&Value::View(View::Items, dict.clone()), budget)?;
                Value::iter(pairs.into_iter().map(Ok), budget)?
            }
            other => fault!("items takes a dict, there is {}", other.kind()),
        },
        "sum" => {
            let [attribute, start] = args.bind(name, ["attribute", "start"], 0)?;
            let getter = Getter::new(given(attribute), None, false, it)?;
            let mut sum = start.unwrap_or(Value::Int(0));
            if matches!(sum, Value::Str(_)) {
                fault!("sum can't sum strings");
            }
            for item in ops::items(&value, budget)? {
                sum = ops::binary(Binary::Add, &sum, &getter.get(&item)?, budget)?;
            }
            sum
        }
        "max" | "min" => {
            let [case_sensitive, attribute] = args.bind(name, ["case_sensitive", "attribute"], 0)?;
            let getter = Getter::new(given(attribute), None, !flag(case_sensitive, false), it)?;
            let mut best: Option<(Value, Value)> = None;
            for item in ops::items(&value, budget)? {
                let key = getter.get(&item)?;
                let is_better = match &best {
                    None => true,
                    Some((_, other)) if name == "max" => ops::less(other, &key, budget)?,
                    Some((_, other)) => ops::less(&key, other, budget)?,
                };
                if is_better {
                    best = Some((item, key));
                }
            }
            best.map(|(item, _)| item).unwrap_or_default()
        }
        "sort" => {
            let [reverse, case_sensitive, attribute] =
                args.bind(name, ["reverse", "case_sensitive", "attribute"], 0)?;
            let ignores_case = !flag(case_sensitive, false);
            let getters = match given(attribute) {
                Some(Value::Str(names)) if names.as_str().contains(',') => names
                    .as_str()
                    .split(',')
                    .map(|name| Getter::new(Some(Value::text(name)), None, ignores_case, it))
                    .collect::<Result<Vec<_>>>()?,
                attribute => vec![Getter::new(attribute, None, ignores_case, it)?],
            };
            let mut keyed = Vec::new();
            for item in ops::items(&value, budget)? {
                let keys: Vec<Value> = getters.iter().map(|getter| getter.get(&item)).collect::<Result<_>>()?;
                keyed.push((Value::list(keys, budget)?, item));
            }
            sorted(keyed, flag(reverse, false), budget)?
        }
        "dictsort" => {
            let [case_sensitive, by, reverse] = args.bind(name, ["case_sensitive", "by", "reverse"], 0)?;
            let by_value = match by.as_ref().map(Value::as_str) {
                None | Some(Some("key")) => false,
                Some(Some("value")) => true,
                _ => fault!("dictsort sorts by 'key' or 'value'"),
            };
            let Some(pairs) = value.pairs() else { fault!("dictsort takes a dict, there is {}", value.kind()) };
            let ignores_case = !flag(case_sensitive, false);
            let mut keyed = Vec::new();
            for (key, value) in pairs {
                let by = if by_value { value } else { key };
                let by = if ignores_case { without_case(by, budget)? } else { by.clone() };
                keyed.push((by, Value::tuple(vec![key.clone(), value.clone()], budget)?));
            }
            sorted(keyed, flag(reverse, false), budget)?
        }
        "unique" => {
            let [case_sensitive, attribute] = args.bind(name, ["case_sensitive", "attribute"], 0)?;
            let getter = Getter::new(given(attribute), None, !flag(case_sensitive, false), it)?;
            let items = ops::items(&value, budget)?;
            let mut seen = Vec::new();
            let mut kept = Vec::new();
            for item in items {
                let key = getter.get(&item)?;
                let n = seen.len();
                insert(&mut seen, key, Value::None, budget)?;
                if seen.len() > n {
                    kept.push(Ok(item));
                }
            }
            Value::iter(kept.into_iter(), budget)?
        }
        "groupby" => group_by(&value, args, it)?,
        "map" => map(&value, args, it)?,
        "select" | "reject" | "selectattr" | "rejectattr" => select(name, &value, args, it)?,
        "batch" => {
            let [size, fill] = args.bind(name, ["linecount", "fill_with"], 1)?;
            let size = usize::try_from(int(name, &size.unwrap_or_default())?).unwrap_or(0);
            let items = ops::items(&value, budget)?;
            let mut batches: Vec<Vec<Value>> = Vec::new();
            for item in items {
                match batches.last_mut() {
                    Some(batch) if batch.len() != size => batch.push(item),
                    _ => batches.push(vec![item]),
                }
            }
            if let (Some(fill), Some(last)) = (given(fill), batches.last_mut())
                && last.len() < size
            {
                budget.items(size)?;
                last.resize(size, fill);
            }
            // A size of 0 begins with an empty one.
            if size == 0 && !batches.is_empty() {
                batches.insert(0, Vec::new());
            }
            Value::iter(batches.into_iter().map(|batch| Value::list(batch, budget)), budget)?
        }
        "slice" => {
            let [n, fill] = args.bind(name, ["slices", "fill_with"], 1)?;
            let n = int(name, &n.unwrap_or_default())?;
            let items = ops::items(&value, budget)?;
            if n == 0 {
                fault!("slice makes one slice or more");
            }
            let n = usize::try_from(n).unwrap_or(0);
            budget.items(n)?;
            let (fill, mut rest) = (given(fill), items.as_slice());
            let slices = (0..n).map(|i| {
                let len = items.len() / n + usize::from(i < items.len() % n);
                let (slice, after) = rest.split_at(len);
                rest = after;
                let mut slice = slice.to_vec();
                slice.extend(fill.clone().filter(|_| i >= items.len() % n));
                Value::list(slice, budget)
            });
            Value::iter(slices, budget)?
        }
        "abs" => match (value.as_index(), &value) {
            (Some(n), _) => Value::Int(n.saturating_abs()),
            (None, Value::Float(x)) => Value::Float(x.abs()),
            _ => fault!("abs takes a number, there is {}", value.kind()),
        },
        "int" => to_int(&value, args)?,
        "float" => {
            let [default] = args.bind(name, ["default"], 0)?;
            match parse_float(&value)? {
                Some(x) => Value::Float(x),
                None => default.unwrap_or(Value::Float(0.0)),
            }
        }
        "round" => round(&value, args)?,
        "attr" => {
            let [wanted] = args.bind(name, ["name"], 1)?;
            let wanted = text(name, &wanted.unwrap_or_default())?;
            it.own_attribute(&value, wanted.as_str())?.unwrap_or_default()
        }
        "truncate" => truncate(&value, args, budget)?,
        "wordcount" => {
            let text = to_str(&value, budget)?;
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            text.as_str().split(|c| !is_word(c)).filter(|word| !word.is_empty()).count().into()
        }
        "wordwrap" => wrap(&value, args, budget)?.into(),
        "striptags" => strip_tags(&to_str(&value, budget)?, budget)?.into(),
        "filesizeformat" => {
            let [binary] = args.bind(name, ["binary"], 0)?;
            let Some(size) = parse_float(&value)? else {
                fault!("filesizeformat takes a number, there is {}", value.kind())
            };
            Value::text(&file_size(size, flag(binary, false)))
        }
        "urlencode" => url_encode(&value, budget)?.into(),
        "xmlattr" => {
            let [space] = args.bind(name, ["autospace"], 0)?;
            xml_attributes(&value, flag(space, true), it)?.into()
        }
        "pprint" => {
            let mut out = Builder::new(budget);
            repr(&with_sorted_keys(&value, budget)?, &mut out, budget)?;
            out.finish()?.into()
        }
        _ => fault!("the filter '{name}' is not supported"),
    })
}

/// The value with the keys of its dicts sorted, as `pprint` shows them; those of unlike types stay as they are.
fn with_sorted_keys(value: &Value, budget: &Budget) -> Result<Value> {
    budget.steps(1)?;
    let all = |items: &[Value]| items.iter().map(|item| with_sorted_keys(item, budget)).collect::<Result<Vec<_>>>();
    match value {
        Value::List(list) => Value::list(all(&list.items)?, budget),
        Value::Tuple(list) => Value::tuple(all(&list.items)?, budget),
        Value::Dict(dict) => {
            let mut entries = Vec::new();
            for (key, value) in &dict.entries {
                entries.push((key.clone(), with_sorted_keys(value, budget)?));
            }
            let sorted = sort(entries.clone(), &mut |a, b| ops::less(&a.0, &b.0, budget));
            Value::dict(sorted.unwrap_or(entries), budget)
        }
        other => Ok(other.clone()),
    }
}

fn named_dict(named: Vec<(String, Value)>, budget: &Budget) -> Result<Value> {
    Value::dict(named.into_iter().map(|(name, value)| (Value::text(&name), value)).collect(), budget)
}

/// A hostile template indents no deeper.
const MAX_INDENT: usize = 64;

/// `json.dumps(x, ensure_ascii, indent, separators, sort_keys)`, not ensuring ASCII unless asked.
fn to_json(value: &Value, args: Args, budget: &Budget) -> Result<Str> {
    let [ensure_ascii, indent, separators, sort_keys] =
        args.bind("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"], 0)?;
    let indent = match given(indent) {
        None => None,
        Some(Value::Str(text)) => Some(text.as_str().to_owned()),
        Some(n) => Some(" ".repeat(usize::try_from(int("tojson", &n)?).unwrap_or(0).min(MAX_INDENT))),
    };
    let (mut item_separator, mut key_separator) = (None, None);
    if let Some(separators) = given(separators) {
        let [item, key] = ops::items(&separators, budget)?
            .try_into()
            .map_err(|_| super::Fault::new("the separators of tojson are two strings"))?;
        item_separator = Some(text("tojson", &item)?.as_str().to_owned());
        key_separator = Some(text("tojson", &key)?.as_str().to_owned());
    }
    let style = Style {
        indent,
        item_separator,
        key_separator,
        ensure_ascii: flag(ensure_ascii, false),
        sort_keys: flag(sort_keys, false),
    };
    json::dumps(value, &style, budget)
}

/// What `attribute=` of a filter names, such as `address.city` or `0`.
struct Getter<'i, 'b> {
    path: Vec<Value>,
    default: Option<Value>,
    ignores_case: bool,
    it: &'i Interpreter<'b>,
}

impl<'i, 'b> Getter<'i, 'b> {
    fn new(
        attribute: Option<Value>,
        default: Option<Value>,
        ignores_case: bool,
        it: &'i Interpreter<'b>,
    ) -> Result<Self> {
        let path = match attribute {
            None => Vec::new(),
            Some(Value::Str(path)) => {
                let part = |part: &str| match part.bytes().all(|b| b.is_ascii_digit()) {
                    true => part.parse().map_or_else(|_| Value::text(part), Value::Int),
                    false => Value::text(part),
                };
                path.as_str().split('.').map(part).collect()
            }
            Some(index) if index.as_index().is_some() => vec![index],
            Some(other) => fault!("an attribute is a string or an integer, there is {}", other.kind()),
        };
        Ok(Getter { path, default, ignores_case, it })
    }

    fn get(&self, item: &Value) -> Result<Value> {
        let mut value = item.clone();
        for part in &self.path {
            self.it.budget.steps(1)?;
            value = self.it.item(&value, part)?;
            if let (Value::Undefined, Some(default)) = (&value, &self.default) {
                value = default.clone();
            }
        }
        if self.ignores_case { without_case(&value, self.it.budget) } else { Ok(value) }
    }
}

fn without_case(value: &Value, budget: &Budget) -> Result<Value> {
    match value {
        Value::Str(text) => methods::lower(text, budget).map(Value::Str),
        other => Ok(other.clone()),
    }
}

/// The values by their keys; equal ones keep their order, reversed or not.
fn sorted(keyed: Vec<(Value, Value)>, reverse: bool, budget: &Budget) -> Result<Value> {
    let sorted = sort(keyed, &mut |a, b| match reverse {
        false => ops::less(&a.0, &b.0, budget),
        true => ops::less(&b.0, &a.0, budget),
    })?;
    Value::list(sorted.into_iter().map(|(_, value)| value).collect(), budget)
}

fn group_by(value: &Value, args: Args, it: &Interpreter) -> Result<Value> {
    let budget = it.budget;
    let [attribute, default, case_sensitive] = args.bind("groupby", ["attribute", "default", "case_sensitive"], 1)?;
    let ignores_case = !flag(case_sensitive, false);
    let getter = Getter::new(attribute, given(default), false, it)?;
    let mut keyed = Vec::new();
    for item in ops::items(value, budget)? {
        let key = getter.get(&item)?;
        let by = if ignores_case { without_case(&key, budget)? } else { key.clone() };
        keyed.push((by, key, item));
    }
    let sorted = sort(keyed, &mut |a, b| ops::less(&a.0, &b.0, budget))?;
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (by, key, item) in sorted {
        match groups.last_mut() {
            Some((last, _, items)) if ops::equal(last, &by, budget)? => items.push(item),
            _ => groups.push((by, key, vec![item])),
        }
    }
    let groups = groups.into_iter().map(|(_, key, items)| Value::group(key, Value::list(items, budget)?, budget));
    Value::list(groups.collect::<Result<_>>()?, budget)
}

fn map(value: &Value, mut args: Args, it: &Interpreter) -> Result<Value> {
    let budget = it.budget;
    let items = if value.is_true() { ops::items(value, budget)? } else { Vec::new() };
    if args.positional.is_empty() && args.named.iter().any(|(name, _)| name == "attribute") {
        let [attribute, default] = args.bind("map", ["attribute", "default"], 1)?;
        let getter = Getter::new(attribute, given(default), false, it)?;
        return Value::iter(items.iter().map(|item| getter.get(item)), budget);
    }
    if args.positional.is_empty() {
        if items.is_empty() {
            return Value::iter(std::iter::empty(), budget);
        }
        fault!("map requires a filter argument");
    }
    let name = text("map", &args.positional.remove(0))?;
    let call = |item: Value| {
        let args = Args { positional: args.positional.clone(), named: args.named.clone() };
        apply(name.as_str(), item, args, it)
    };
    let _level = budget.enter()?;
    Value::iter(items.into_iter().map(call), budget)
}

fn select(filter: &str, value: &Value, mut args: Args, it: &Interpreter) -> Result<Value> {
    let budget = it.budget;
    let items = if value.is_true() { ops::items(value, budget)? } else { Vec::new() };
    let getter = match filter.ends_with("attr") {
        true if args.positional.is_empty() => {
            if items.is_empty() {
                return Value::iter(std::iter::empty(), budget);
            }
            fault!("{filter} needs the name of an attribute")
        }
        true => Getter::new(Some(args.positional.remove(0)), None, false, it)?,
        false => Getter::new(None, None, false, it)?,
    };
    let test = if args.positional.is_empty() { None } else { Some(args.positional.remove(0)) };
    let test = test.map(|test| text(filter, &test)).transpose()?;
    let wanted = filter.starts_with("select");
    let keep = |item: &Value| {
        let found = getter.get(item)?;
        let holds = match &test {
            None => found.is_true(),
            Some(test) => {
                let args = Args { positional: args.positional.clone(), named: args.named.clone() };
                tests::apply(test.as_str(), &found, args, it)?
            }
        };
        Ok(holds == wanted)
    };
    let kept = items.into_iter().filter_map(|item| match keep(&item) {
        Ok(true) => Some(Ok(item)),
        Ok(false) => None,
        Err(fault) => Some(Err(fault)),
    });
    Value::iter(kept, budget)
}

fn join(value: &Value, args: Args, it: &Interpreter) -> Result<Str> {
    let budget = it.budget;
    let [separator, attribute] = args.bind("join", ["d", "attribute"], 0)?;
    let separator = separator.map_or(Ok("".into()), |separator| to_str(&separator, budget))?;
    let getter = Getter::new(given(attribute), None, false, it)?;
    let mut out = Builder::new(budget);
    for (i, item) in ops::items(value, budget)?.iter().enumerate() {
        if i > 0 {
            out.push(&separator);
        }
        let item = getter.get(item)?;
        match it.escapes.get() {
            true => out.push(&escape(&item, budget)?),
            false => super::strings::write(&item, &mut out, budget)?,
        }
    }
    Ok(out.finish()?.with_safe(it.escapes.get()))
}

fn indent(value: &Value, args: Args, budget: &Budget) -> Result<Str> {
    let [width, first, blank] = args.bind("indent", ["width", "first", "blank"], 0)?;
    let width = match width {
        None => "    ".into(),
        Some(Value::Str(text)) => text,
        Some(n) => {
            let mut out = Builder::new(budget);
            out.repeat(" ", usize::try_from(int("indent", &n)?).unwrap_or(0));
            out.finish()?
        }
    };
    let this = text("indent", value)?;
    // A newline at the end begins one more line.
    let mut ended = Builder::new(budget);
    ended.push(&this);
    ended.write("\n");
    let blank = flag(blank, false);
    let mut out = Builder::new(budget);
    for (i, line) in methods::lines(&ended.finish()?, false, budget)?.iter().enumerate() {
        if i > 0 {
            out.write("\n");
        }
        let is_indented = if i == 0 { flag(first.clone(), false) } else { blank || !line.as_str().is_empty() };
        if is_indented {
            out.push(&width);
        }
        out.push(line);
    }
    Ok(out.finish()?.with_safe(this.is_safe()))
}

/// Words begin after white space and opening brackets, and after hyphens.
fn title(text: &Str, budget: &Budget) -> Result<Str> {
    let mut begins = true;
    text.map(budget, |c, out| {
        match begins {
            true => out.extend(c.to_uppercase()),
            false => out.extend(c.to_lowercase()),
        }
        begins = is_space(c) || "-({[<".contains(c);
    })
}

/// The whole number that Python's `int(text, base)` reads.
fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim_matches(is_space);
    let (is_negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let prefixed = digits.get(..2).map(str::to_ascii_lowercase);
    let (base, digits) = match (base, prefixed.as_deref()) {
        (16 | 0, Some("0x")) => (16, &digits[2..]),
        (8 | 0, Some("0o")) => (8, &digits[2..]),
        (2 | 0, Some("0b")) => (2, &digits[2..]),
        (0, _) => (10, digits),
        (base @ 2..=36, _) => (base, digits),
        _ => return None,
    };
    let plain = without_underscores(digits)?;
    if !plain.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let n = i128::from_str_radix(&plain, base).ok()?;
    Some(if is_negative { -n } else { n })
}

/// Underscores may stand between digits.
fn without_underscores(text: &str) -> Option<String> {
    let is_wrong = text.is_empty() || text.starts_with('_') || text.ends_with('_') || text.contains("__");
    (!is_wrong).then(|| text.replace('_', ""))
}

/// Python's `float(value)`.
fn parse_float(value: &Value) -> Result<Option<f64>> {
    Ok(match value {
        Value::Undefined => fault!("undefined value"),
        Value::Str(text) => {
            without_underscores(text.as_str().trim_matches(is_space)).and_then(|text| text.parse().ok())
        }
        other => other.as_float(),
    })
}

fn to_int(value: &Value, args: Args) -> Result<Value> {
    let [default, base] = args.bind("int", ["default", "base"], 0)?;
    let base = base.map_or(Ok(10), |base| int("int", &base))?;
    let whole = |x: f64| match x.is_finite() {
        true if x.abs() >= i128::MAX as f64 => fault!("a number of more than 128 bits"),
        true => Ok(Some(Value::Int(x.trunc() as i128))),
        false => Ok(None),
    };
    let found = match value {
        Value::Str(text) => parse_int(text.as_str(), u32::try_from(base).unwrap_or(99)).map(Value::Int),
        Value::Float(x) if x.is_infinite() => fault!("cannot convert float infinity to integer"),
        other => other.as_index().map(Value::Int),
    };
    Ok(match found {
        Some(found) => found,
        None => {
            let found = parse_float(value)?.map_or(Ok(None), whole)?;
            found.unwrap_or_else(|| default.unwrap_or(Value::Int(0)))
        }
    })
}

fn round(value: &Value, args: Args) -> Result<Value> {
    let [precision, method] = args.bind("round", ["precision", "method"], 0)?;
    let precision = precision.map_or(Ok(0), |precision| int("round", &precision))?;
    let Some(x) = value.as_float() else { fault!("round takes a number, there is {}", value.kind()) };
    let scale = 10f64.powi(precision.clamp(-400, 400) as i32);
    Ok(match method.as_ref().map(Value::as_str) {
        None | Some(Some("common")) => match value.as_index() {
            Some(n) if precision >= 0 => Value::Int(n),
            Some(n) => round_int(n, precision.unsigned_abs()),
            None => Value::Float(float::round(x, precision)),
        },
        Some(Some("ceil")) => Value::Float((x * scale).ceil() / scale),
        Some(Some("floor")) => Value::Float((x * scale).floor() / scale),
        _ => fault!("the method of round is 'common', 'ceil' or 'floor'"),
    })
}

/// To so many zeros, half to even.
fn round_int(n: i128, zeros: u64) -> Value {
    let Some(unit) = u32::try_from(zeros).ok().and_then(|zeros| 10i128.checked_pow(zeros)) else {
        return Value::Int(0);
    };
    let (whole, rest) = (n.div_euclid(unit), n.rem_euclid(unit));
    let up = rest > unit - rest || rest == unit - rest && whole % 2 != 0;
    Value::Int((whole + i128::from(up)).saturating_mul(unit))
}

fn truncate(value: &Value, args: Args, budget: &Budget) -> Result<Value> {
    let [length, kill_words, end, leeway] = args.bind("truncate", ["length", "killwords", "end", "leeway"], 0)?;
    let length = length.map_or(Ok(255), |length| int("truncate", &length))?;
    let end = end.map_or(Ok("...".into()), |end| text("truncate", &end))?;
    let leeway = given(leeway).map_or(Ok(5), |leeway| int("truncate", &leeway))?;
    let n_end = end.as_str().chars().count() as i64;
    if length < n_end || leeway < 0 {
        fault!("truncate takes a length of at least {n_end} and a leeway of at least 0");
    }
    if ops::len(value)? as i64 <= length.saturating_add(leeway) {
        return Ok(value.clone());
    }
    let this = text("truncate", value)?;
    let mut cut = format::byte_of(this.as_str(), (length - n_end) as usize);
    if !flag(kill_words, false) {
        cut = this.as_str()[..cut].rfind(' ').unwrap_or(cut);
    }
    let mut out = Builder::new(budget);
    out.push(&this.slice(0..cut, budget)?);
    out.push(&end);
    Ok(out.finish()?.into())
}

/// Lines of at most so many characters, as Python's `textwrap` breaks them.
fn wrap(value: &Value, args: Args, budget: &Budget) -> Result<Str> {
    let [width, break_long, with, on_hyphens] =
        args.bind("wordwrap", ["width", "break_long_words", "wrapstring", "break_on_hyphens"], 0)?;
    let width = usize::try_from(width.map_or(Ok(79), |width| int("wordwrap", &width))?).unwrap_or(0);
    if width == 0 {
        fault!("wordwrap takes a width of at least 1");
    }
    let (break_long, on_hyphens) = (flag(break_long, true), flag(on_hyphens, true));
    let with = given(with).map_or(Ok("\n".into()), |with| text("wordwrap", &with))?;
    let this = text("wordwrap", value)?;
    let mut out = Builder::new(budget);
    for (i, line) in methods::lines(&this, false, budget)?.iter().enumerate() {
        if i > 0 {
            out.push(&with);
        }
        let s = line.as_str();
        let mut pieces = chunks(s, on_hyphens);
        pieces.reverse();
        let mut is_first = true;
        while let Some(piece) = pieces.pop() {
            let is_blank = |range: &std::ops::Range<usize>| s[range.clone()].chars().all(is_space);
            // White space ends at a line's end, and stays at the text's beginning.
            if is_blank(&piece) && !is_first {
                continue;
            }
            let mut row = piece.start..piece.start;
            let mut rest = Some(piece);
            while let Some(piece) = rest.take().or_else(|| pieces.pop()) {
                budget.steps(1)?;
                let n = s[row.clone()].chars().count();
                if n + s[piece.clone()].chars().count() <= width {
                    row.end = piece.end;
                    continue;
                }
                if s[piece.clone()].chars().count() > width && break_long && n < width {
                    let cut = piece.start + format::byte_of(&s[piece.clone()], width - n);
                    row.end = cut;
                    pieces.push(cut..piece.end);
                } else if row.is_empty() {
                    row.end = piece.end;
                } else {
                    pieces.push(piece);
                }
                break;
            }
            let kept = row.start..row.start + s[row.clone()].trim_end_matches(is_space).len();
            if kept.is_empty() {
                continue;
            }
            if !is_first {
                out.push(&with);
            }
            is_first = false;
            out.push_slice(line, kept);
        }
    }
    out.finish()
}

/// Words and the white space between them; words are cut after hyphens between letters.
fn chunks(s: &str, on_hyphens: bool) -> Vec<std::ops::Range<usize>> {
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    let chars: Vec<(usize, char)> = s.char_indices().collect();
    for (i, &(at, c)) in chars.iter().enumerate() {
        let end = at + c.len_utf8();
        let goes_on = i > 0 && is_space(chars[i - 1].1) == is_space(c) && {
            let is_letter = |i: usize| chars.get(i).is_some_and(|(_, c)| c.is_alphabetic());
            let after_hyphen = on_hyphens && chars[i - 1].1 == '-' && i >= 2;
            !(after_hyphen && is_letter(i - 2) && is_letter(i) && !is_space(c))
        };
        match out.last_mut() {
            Some(last) if goes_on => last.end = end,
            _ => out.push(at..end),
        }
    }
    out
}

/// Without comments and tags, white space made single spaces, entities made characters.
fn strip_tags(text: &Str, budget: &Budget) -> Result<Str> {
    let s = text.as_str();
    let mut out = Builder::new(budget);
    let mut at = 0;
    while let Some(found) = s[at..].find('<') {
        let start = at + found;
        let (open, close) = if s[start..].starts_with("<!--") { (4, "-->") } else { (1, ">") };
        let Some(end) = s[start + open..].find(close) else { break };
        out.push_slice(text, at..start);
        at = start + open + end + close.len();
    }
    out.push_slice(text, at..s.len());
    let plain = out.finish()?;
    let mut out = Builder::new(budget);
    let s = plain.as_str();
    let mut from = 0;
    for word in s.split(is_space).filter(|word| !word.is_empty()) {
        let start = s[from..].find(word).map_or(from, |at| at + from);
        if !out.is_empty() {
            out.write(" ");
        }
        out.push_slice(&plain, start..start + word.len());
        from = start + word.len();
    }
    let mut plain = out.finish()?;
    for (entity, c) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        plain = methods::replace(&plain, &entity.into(), &c.into(), -1, budget)?;
    }
    Ok(plain)
}

fn file_size(bytes: f64, binary: bool) -> String {
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return "1 Byte".into();
    }
    if bytes < base {
        return format!("{} Bytes", bytes.trunc());
    }
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    let i = (1..units.len()).find(|&i| bytes < base.powi(i as i32 + 1)).unwrap_or(units.len());
    format!("{:.1} {}", base * bytes / base.powi(i as i32 + 1), units[i - 1])
}

fn quote(text: &Str, for_query: bool, budget: &Budget) -> Result<Str> {
    text.map(budget, |c, out| match c {
        c if c.is_ascii_alphanumeric() || "_.-~".contains(c) => out.push(c),
        '/' if !for_query => out.push('/'),
        ' ' if for_query => out.push('+'),
        c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| out.push_str(&format!("%{byte:02X}"))),
    })
}

fn url_encode(value: &Value, budget: &Budget) -> Result<Str> {
    let pairs = match value {
        Value::Dict(dict) => ops::items(&Value::View(View::Items, dict.clone()), budget)?,
        Value::List(_) | Value::Tuple(_) | Value::Iter(_) | Value::View(..) | Value::Range(_) => {
            ops::items(value, budget)?
        }
        other => return quote(&to_str(other, budget)?, false, budget),
    };
    let mut out = Builder::new(budget);
    for (i, pair) in pairs.iter().enumerate() {
        let [key, value] =
            ops::items(pair, budget)?.try_into().map_err(|_| super::Fault::new("urlencode takes pairs"))?;
        if i > 0 {
            out.write("&");
        }
        out.push(&quote(&to_str(&key, budget)?, true, budget)?);
        out.write("=");
        out.push(&quote(&to_str(&value, budget)?, true, budget)?);
    }
    out.finish()
}

fn xml_attributes(value: &Value, space: bool, it: &Interpreter) -> Result<Str> {
    let Some(pairs) = value.pairs() else { fault!("xmlattr takes a dict, there is {}", value.kind()) };
    let mut out = Builder::new(it.budget);
    for (key, value) in pairs {
        if matches!(value, Value::None | Value::Undefined) {
            continue;
        }
        let name = text("xmlattr", key)?;
        if name.as_str().contains(|c: char| " \t\n\r\u{c}\u{b}/>=".contains(c)) {
            fault!("invalid character in attribute name");
        }
        if space || !out.is_empty() {
            out.write(" ");
        }
        out.push(&escape(key, it.budget)?);
        out.write("=\"");
        out.push(&escape(value, it.budget)?);
        out.write("\"");
    }
    Ok(out.finish()?.with_safe(it.escapes.get()))
}
