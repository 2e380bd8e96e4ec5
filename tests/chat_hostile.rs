//! No template, message or JSON text makes rendering panic. `PROPTEST_CASES=1000000` for a long run.

use proptest::prelude::*;
use webgguf::tokenizer::chat::{ChatTemplate, CivilTime, Variables, parse_json};

/// Pieces of templates, to be put together in any order.
const PIECES: &[&str] = &[
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{%- ",
    " -%}",
    "{# ",
    " #}",
    "{% raw %}",
    "{% endraw %}",
    "{% generation %}",
    "{% endgeneration %}",
    "{% for m in messages %}",
    "{% endfor %}",
    "{% if ",
    "{% elif ",
    "{% else %}",
    "{% endif %}",
    "{% set x = ",
    "{% set ns.x = ",
    "{% macro f(a, b=1) %}",
    "{% endmacro %}",
    "{% call f(1) %}",
    "{% endcall %}",
    "{% set ns = namespace(x=1) %}",
    "{% break %}",
    "messages",
    "m",
    "x",
    "ns.x",
    "f(",
    "loop.index",
    "'a'",
    "\"é🦙\"",
    "''",
    "[]",
    "[1, 2]",
    "{'a': 1}",
    "(1,)",
    "none",
    "true",
    "-1",
    "0",
    "99",
    "1.5",
    "9223372036854775807",
    "1e400",
    "[::-1]",
    "[1:]",
    "[:-1:-2]",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ":",
    ",",
    ".",
    "=",
    " ~ ",
    " + ",
    " - ",
    " * ",
    " / ",
    " // ",
    " % ",
    " ** ",
    " == ",
    " < ",
    " in ",
    " is ",
    " not ",
    " and ",
    " or ",
    " if ",
    " else ",
    "|",
    "|safe",
    "|tojson(indent=4)",
    "|trim('a')",
    "|int",
    "|round(99)",
    "|batch(0)",
    "|slice(0)",
    "|indent(-1)",
    "|join",
    "|sort",
    "|map(attribute='a')",
    "|format(1)",
    "|length",
    "|first",
    "|replace('', 'x')",
    ".split('')",
    ".split()",
    ".strip('é')",
    ".title()",
    ".format(1)",
    ".zfill(3)",
    ".items()",
    ".get('a')",
    ".splitlines()",
    ".rsplit('a', -1)",
    ".content",
    "[0]",
    "[-1]",
    "['role']",
    "strftime_now('%-%Q%')",
    "raise_exception('x')",
    "range(3)",
    "range(0, 9, 0)",
    "range(99999999999)",
    "\n",
    " ",
    "text",
    "|safe + ",
    "dict(a=1)",
    " defined",
    " iterable",
    " divisibleby 0",
];

fn any_template() -> impl Strategy<Value = String> {
    let pieces = proptest::collection::vec(proptest::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat());
    // An expression between the right brackets gets past the parser more often.
    let expression = proptest::collection::vec(proptest::sample::select(PIECES), 1..6)
        .prop_map(|pieces| format!("{{% for m in messages %}}{{{{ {} }}}}{{% endfor %}}", pieces.concat()));
    prop_oneof![pieces, expression, any::<String>()]
}

proptest! {
    #[test]
    fn no_template_panics(source in any_template(), content in any::<String>(), now in any::<i64>()) {
        let Ok(template) = ChatTemplate::new(&source) else { return Ok(()) };
        let messages = serde_json::json!([{"role": "user", "content": content}, {"role": "tool", "content": null, "n": 1.5}]);
        let mut variables = Variables::new();
        variables.set_json("messages", &messages.to_string()).unwrap();
        let _ = template.render(&variables, CivilTime::from_unix(now));
    }

    #[test]
    fn no_json_panics(text in any::<String>(), pieces in "[\\[\\]{}:,\"\\\\u0-9a-f.eE+ tnlr-]{0,40}") {
        let _ = parse_json(&text);
        let _ = Variables::from_json(&pieces);
    }

    /// What is written is read as the same, in every style, and is JSON to others.
    #[test]
    fn json_comes_back(text in any::<String>(), number in any::<f64>(), whole in any::<i64>()) {
        let number = if number.is_finite() { number } else { 0.5 };
        let json = serde_json::json!({"text": text, "list": [number, whole, true, null, {}], text.as_str(): []}).to_string();
        let mut variables = Variables::new();
        variables.set_json("x", &json).unwrap();
        for call in ["tojson", "tojson(indent=2, ensure_ascii=true)", "tojson(separators=(',', ':'))"] {
            let template = ChatTemplate::new(&format!("{{{{ x | {call} }}}}")).unwrap();
            let out = template.render(&variables, CivilTime::default()).unwrap().text;
            prop_assert_eq!(&parse_json(&out).unwrap(), variables.get("x").unwrap());
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
        }
    }
}
