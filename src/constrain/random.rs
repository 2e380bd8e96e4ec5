//! Random schemas: what is written at random within them is valid, what is valid is allowed, and masks are what trying every
//! token says.

use serde_json::{Value, json};

use super::*;
use crate::ops::testing::Rng;

/// A whole number below `n`.
fn below(rng: &mut Rng, n: usize) -> usize {
    ((f64::from(rng.vec(1, 1.0)[0]) + 1.0) / 2.0 * n as f64).clamp(0.0, n as f64 - 1.0) as usize
}

fn one<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[below(rng, of.len())]
}

/// A schema, with an instance of it.
fn schema(rng: &mut Rng, depth: usize) -> (Value, Value) {
    let n = below(rng, if depth == 0 { 8 } else { 12 });
    let (a, b) = (below(rng, 40) as i64 - 20, below(rng, 60) as i64);
    match n {
        0 => (json!({"type": "null"}), Value::Null),
        1 => (json!({"type": "boolean"}), json!(a > 0)),
        2 => (json!({"type": "integer", "minimum": a, "maximum": a + b}), json!(a + below(rng, b as usize + 1) as i64)),
        3 => (json!({"type": "number", "exclusiveMinimum": a, "maximum": a + b + 1}), json!(a as f64 + 0.5)),
        4 => (
            json!({"type": "string", "minLength": 2, "maxLength": 6}),
            json!(*one(rng, &["ab", "é\"\\", "😀\n€x", "sixsix"])),
        ),
        5 => {
            (json!({"type": "string", "pattern": "^[a-f]{2,4}(-\\d+)?$"}), json!(*one(rng, &["ab", "feed", "abc-12"])))
        }
        6 => (json!({"type": "string", "format": "date"}), json!(*one(rng, &["2024-02-29", "1999-11-30"]))),
        7 => (
            json!({"enum": ["x", 3, null, true, "y z"]}),
            one(rng, &[json!("x"), json!(3), Value::Null, json!("y z")]).clone(),
        ),
        8 => {
            let (item, value) = schema(rng, depth - 1);
            let n = 1 + below(rng, 3);
            (json!({"type": "array", "items": item, "minItems": 1, "maxItems": 3}), json!(vec![value; n]))
        }
        9 => {
            let ((x, of_x), (y, of_y)) = (schema(rng, depth - 1), schema(rng, depth - 1));
            let value = if a > 0 { of_x } else { of_y };
            (json!({"anyOf": [x, y]}), value)
        }
        _ => {
            let (mut properties, mut value, mut required) = (json!({}), json!({}), Vec::new());
            for name in ["a", "b\"c", "d"] {
                let (of_name, instance) = schema(rng, depth - 1);
                properties[name] = of_name;
                let kind = below(rng, 3);
                if kind > 0 {
                    value[name] = instance;
                }
                if kind == 2 {
                    required.push(name);
                }
            }
            let more = n == 10;
            if more {
                value["zz"] = json!(7);
            }
            let other = if more { json!({"type": "integer"}) } else { json!(false) };
            (
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": other}),
                value,
            )
        }
    }
}

/// Whether a value is valid, by reading the schema in the plainest way.
fn is_valid(s: &Value, v: &Value) -> bool {
    let number = |key: &str| s.get(key).and_then(Value::as_f64);
    let count = |key: &str, or: usize| s.get(key).and_then(Value::as_u64).map_or(or, |n| n as usize);
    let kind = match v {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.as_f64().unwrap().fract() == 0.0 => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if let Some(any) = s.get("anyOf") {
        return any.as_array().unwrap().iter().any(|s| is_valid(s, v));
    }
    if let Some(values) = s.get("enum") {
        return values.as_array().unwrap().contains(v);
    }
    let wanted = s["type"].as_str().unwrap();
    let of_kind = wanted == kind || wanted == "number" && kind == "integer";
    of_kind
        && match v {
            Value::Number(n) => {
                let n = n.as_f64().unwrap();
                number("minimum").is_none_or(|m| n >= m)
                    && number("maximum").is_none_or(|m| n <= m)
                    && number("exclusiveMinimum").is_none_or(|m| n > m)
            }
            Value::String(text) => {
                let n = text.chars().count();
                let part =
                    |text: &str| text.len() >= 2 && text.len() <= 4 && text.bytes().all(|b| (b'a'..=b'f').contains(&b));
                let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                n >= count("minLength", 0)
                    && n <= count("maxLength", usize::MAX)
                    && (s.get("pattern").is_none()
                        || text.split_once('-').map_or(part(text), |(a, b)| part(a) && digits(b)))
                    && (s.get("format").is_none() || text.len() == 10 && text[5..7].parse::<u32>().unwrap() <= 12)
            }
            Value::Array(items) => {
                (count("minItems", 0)..=count("maxItems", usize::MAX)).contains(&items.len())
                    && items.iter().all(|item| is_valid(&s["items"], item))
            }
            Value::Object(members) => {
                s["required"].as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap()))
                    && members.iter().all(|(name, v)| match s["properties"].get(name) {
                        Some(s) => is_valid(s, v),
                        None => s["additionalProperties"].is_object() && is_valid(&s["additionalProperties"], v),
                    })
            }
            _ => true,
        }
}

/// Every byte, and pieces of JSON.
fn vocabulary(rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut tokens: Vec<Vec<u8>> = (0..=255).map(|b| vec![b]).collect();
    let text =
        r#"{"a": [1, -20.5], "b\"c":"2024-02-29","d": {"é😀€\n\\ab": null, "zz":7},"x": true} feed-12 "y z" ]}]},"e","#
            .as_bytes();
    for _ in 0..700 {
        let at = below(rng, text.len());
        tokens.push(text[at..(at + 1 + below(rng, 9)).min(text.len())].to_vec());
    }
    tokens.push(b"ab".repeat(20));
    tokens
}

#[test]
fn random_schemas_are_kept_to_and_forbid_nothing() {
    let mut rng = Rng(20);
    let tokens = vocabulary(&mut rng);
    let trie = Trie::new(tokens.len() as u32, |id| &tokens[id as usize]);
    let (mut n_whole, mut n_masks) = (0, 0);
    for round in 0..250 {
        let (schema, instance) = schema(&mut rng, 3);
        let mut constraint =
            Constraint::new(&Format::JsonSchema(schema.to_string())).unwrap_or_else(|e| panic!("{schema}: {e}"));
        let text = instance.to_string();
        let end = constraint.advance(constraint.start(), text.as_bytes()).unwrap();
        assert!(end.is_some_and(|end| constraint.may_end(end)), "{schema} allows {text}");
        for _ in 0..4 {
            let (mut state, mut bytes) = (constraint.start(), Vec::new());
            while bytes.len() < 400
                && !(constraint.may_end(state) && below(&mut rng, 3) > 0)
                && !constraint.must_end(state)
            {
                let mask = constraint.mask(&trie, state).unwrap();
                if round % 5 == 0 && n_masks < 600 {
                    n_masks += 1;
                    for (id, token) in tokens.iter().enumerate() {
                        let want = constraint.advance(state, token).unwrap().is_some();
                        let got = mask[id / 32] >> (id % 32) & 1 == 1;
                        let so_far = String::from_utf8_lossy(&bytes);
                        assert_eq!(got, want, "{schema} after {so_far}: {}", String::from_utf8_lossy(token));
                    }
                }
                let allowed: Vec<usize> = (0..tokens.len()).filter(|id| mask[id / 32] >> (id % 32) & 1 == 1).collect();
                let ending: Vec<usize> =
                    allowed.iter().copied().filter(|&id| b"\"]}".contains(&tokens[id][0])).collect();
                let from = if ending.is_empty() || below(&mut rng, 3) > 0 { &allowed } else { &ending };
                assert!(!from.is_empty(), "{schema}: stuck after {}", String::from_utf8_lossy(&bytes));
                let token = &tokens[*one(&mut rng, from)];
                state = constraint.advance(state, token).unwrap().unwrap();
                bytes.extend_from_slice(token);
            }
            if constraint.may_end(state) {
                let text = String::from_utf8(bytes).unwrap_or_else(|e| panic!("{schema}: {e}"));
                let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{schema}: {text}: {e}"));
                assert!(is_valid(&schema, &value), "{schema} does not allow {text}");
                n_whole += 1;
            }
        }
    }
    println!("{n_whole} texts are whole and valid, {n_masks} masks are those of trying every token");
    assert!(n_whole > 500 && n_masks > 300, "{n_whole}, {n_masks}");
}
