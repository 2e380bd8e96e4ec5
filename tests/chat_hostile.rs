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

/// Values that grow while the steps last: an error, soon and in little memory. The engine works on afterwards.
#[test]
fn templates_that_grow_end() {
    let doubling = |start: &str, grow: &str, end: &str| {
        format!(
            "{{% set ns = namespace(x={start}) %}}{{% for i in range(60) %}}{{% set ns.x = {grow} %}}{{% endfor %}}{end}"
        )
    };
    let lists = |end: &str| doubling("[1]", "[ns.x, ns.x]", end);
    let texts = |grow: &str| doubling("'0123456789abcdef'", grow, "{{ ns.x }}");
    let all = [
        lists("{{ ns.x | tojson }}"),
        lists("{{ ns.x }}"),
        lists("{{ ns.x | string | length }}"),
        lists("{{ ns.x | join }}"),
        lists("{% set y = ns.x | list %}{% set z = [y[0], y[0]] %}{{ z == y }}{{ ns.x == [ns.x[0], ns.x[1] + []] }}"),
        lists("{{ '%s' % [ns.x] }}"),
        lists("{{ '{}'.format(ns.x) }}"),
        lists("{{ ns.x ~ '' }}"),
        lists("{{ ns.x | pprint }}"),
        doubling("(1,)", "(ns.x, ns.x)", "{{ {ns.x: 1} }}"),
        doubling("(1,)", "(ns.x, ns.x)", "{{ [ns.x] | unique | list }}"),
        doubling("(1,)", "(ns.x, ns.x)", "{{ ns.x < (ns.x[0], ns.x[1]) and ns.x | sort }}{{ ns.x }}"),
        doubling("{'a': 1}", "{'a': ns.x, 'b': ns.x}", "{{ ns.x | tojson }}"),
        doubling("{'a': 1}", "{'a': ns.x, 'b': ns.x}", "{{ ns.x }}"),
        doubling("[1]", "ns.x + ns.x", "{{ ns.x | length }}"),
        doubling("[1]", "ns.x * 9", "{{ ns.x | length }}"),
        doubling("[1]", "[ns.x | list, ns.x | list]", "{{ ns.x }}"),
        doubling("(1, 2)", "ns.x + ns.x", "{{ ns.x | length }}"),
        texts("ns.x ~ ns.x"),
        texts("ns.x + ns.x"),
        texts("ns.x * 2"),
        texts("ns.x | replace('0', ns.x)"),
        texts("ns.x.replace('', ns.x)"),
        texts("ns.x.join([ns.x, ns.x])"),
        texts("[ns.x, ns.x] | join"),
        texts("'%s%s' % (ns.x, ns.x)"),
        texts("'{0}{0}'.format(ns.x)"),
        texts("ns.x | indent(ns.x | length)  ~ '\n' ~ ns.x"),
        texts("ns.x | urlencode ~ '%' ~ ns.x"),
        texts("ns.x | e ~ '&'  ~ ns.x"),
        texts("ns.x | center(2 * ns.x | length) ~ ns.x"),
        texts("ns.x.ljust(ns.x | length * 2) ~ ns.x"),
        texts("[ns.x] | tojson | tojson ~ ns.x"),
        "{{ '%999999999d' % 1 }}".into(),
        "{{ '%.999999999f' % 1.5 }}".into(),
        "{{ '{:>999999999}'.format('x') }}".into(),
        "{{ 'x' * 999999999 }}".into(),
        "{{ [1] * 999999999 }}".into(),
        "{{ 'x'.center(999999999) }}{{ 'x' | center(999999999) }}".into(),
        "{{ 'x\\ny' | indent(999999999) }}".into(),
        "{{ [1] | batch(999999999, 0) | list | length }}".into(),
        "{{ [1] | slice(999999999) | list | length }}".into(),
        "{{ '7'.zfill(999999999) }}".into(),
        "{{ '\t'.expandtabs(999999999) * 999 }}".into(),
        "{{ 9 ** 999999999 }}".into(),
        "{{ range(99999) | map('string') | map('list') | list | string * 99 }}".into(),
        "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}".into(),
        "{% macro f(x) %}{{ f([x]) }}{% endmacro %}{{ f(1) }}".into(),
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}".into(),
        doubling("[1]", "[ns.x]", "{% for i in range(90000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}"),
        "{% set ns = namespace(m=none) %}{% for i in range(90000) %}{% macro g(p=ns.m) %}{{ p }}{% endmacro %}{% set ns.m = g %}{% endfor %}{{ ns.m() }}{{ 1 // 0 }}".into(),
        "{% set ns = namespace() %}{% set ns.a = ns %}{% for i in range(90000) %}{% set n = namespace(x=ns) %}{% set ns.a = n %}{% endfor %}{{ 1 // 0 }}".into(),
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}".into(),
        "{% for i in range(99999) %}{{ '0123456789' * 99999 }}{% endfor %}".into(),
        "{% for i in range(99999) %}{% set x = '0123456789' * 99999 %}{% endfor %}".into(),
        format!("{{{{ {}1{} }}}}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("{{{{ 1{} }}}}", "|abs".repeat(10_000)),
        format!("{{{{ {}1 }}}}", "-".repeat(10_000)),
        format!("{{{{ {}1 }}}}", "not ".repeat(10_000)),
        format!("{{{{ x{} }}}}", ".a".repeat(10_000)),
        format!("{}{}", "{% if 1 %}".repeat(10_000), "{% endif %}".repeat(10_000)),
        format!("{}x{}", "{% for (".repeat(10_000), ")".repeat(10_000)),
    ];
    for source in all {
        let start = std::time::Instant::now();
        let rendered =
            ChatTemplate::new(&source).and_then(|template| template.render(&Variables::new(), CivilTime::default()));
        let shown: String = source.chars().take(160).collect();
        let error = rendered.expect_err(&shown);
        assert_eq!(error.code(), "TEMPLATE_ERROR", "{shown}");
        println!("{:>6.0} ms  {shown}\n           {error}", start.elapsed().as_secs_f64() * 1e3);
        assert!(start.elapsed().as_secs_f64() < 10.0, "{shown}");
    }
    // Long chains that do not nest are no harm.
    let sum = format!("{{{{ 0{} }}}}", " + 1".repeat(5_000));
    let rendered = ChatTemplate::new(&sum).unwrap().render(&Variables::new(), CivilTime::default());
    assert_eq!(rendered.unwrap().text, "5000");
}
