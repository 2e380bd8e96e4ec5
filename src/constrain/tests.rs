//! Texts that are allowed, byte by byte, and texts that are refused where they leave what is allowed.

use super::*;

/// How many bytes of a text are allowed, and whether it may end after them.
fn read(constraint: &mut Constraint, text: &str) -> (usize, bool) {
    let mut state = constraint.start();
    for (i, byte) in text.bytes().enumerate() {
        match constraint.advance(state, &[byte]).unwrap() {
            Some(next) => state = next,
            None => return (i, false),
        }
    }
    (text.len(), constraint.may_end(state))
}

fn schema(text: &str) -> Format {
    Format::JsonSchema(text.to_owned())
}

/// `^` in a text that is refused stands before the byte that is.
fn check(format: &Format, allowed: &[&str], refused: &[&str]) {
    let mut constraint = Constraint::new(format).unwrap_or_else(|e| panic!("{format:?}: {e}"));
    for text in allowed {
        assert_eq!(read(&mut constraint, text), (text.len(), true), "{format:?} allows {text}");
    }
    for text in refused {
        let at = text.find('^').unwrap_or(text.len());
        assert_eq!(read(&mut constraint, &text.replace('^', "")), (at, false), "{format:?} refuses {text}");
    }
}

fn fails(format: &Format, with: &str) {
    let error = Constraint::new(format).err().unwrap_or_else(|| panic!("{format:?} is accepted")).to_string();
    assert!(error.contains(with), "{format:?}: {error}, not {with}");
}

#[test]
fn scalars() {
    check(
        &schema(r#"{"type":"string"}"#),
        &[r#""""#, r#""é\n\u00e9😀""#, r#""\ud83d\ude00""#],
        &["^x", r#""a"^x"#, r#""\^x"#, "\"^\n", r#""\ud83d^x"#],
    );
    check(
        &schema(r#"{"type":"string","minLength":2,"maxLength":3}"#),
        &[r#""ab""#, r#""é😀€""#, r#""\u00e9\n""#],
        &[r#""a^""#, r#""abc^d"#],
    );
    check(&schema(r#"{"type":["integer","null"]}"#), &["0", "-12", "null"], &["0^1", "1^.5", "^true", "-"]);
    check(&schema(r#"{"type":"number"}"#), &["0.5", "-1e+9", "12E3", "3"], &["1.^e", "0^0", "1.", "^.5"]);
    check(&schema(r#"{"type":"boolean"}"#), &["true", "false"], &["tr^x", "tru"]);
    check(
        &schema(r#"{"enum":["a",1,null,{"k":[1,2]}]}"#),
        &[r#""a""#, "1", "null", r#"{"k": [1,2]}"#, r#"{"k":[1, 2]}"#],
        &[r#""^b"#, "^2", r#"{"k":  "#.trim_end()],
    );
    check(&schema(r#"{"enum":["a","bcd",7],"type":"string","minLength":2}"#), &[r#""bcd""#], &[r#""^a"#, "^7"]);
    check(&schema(r#"{"const":"say \"hi\"\n"}"#), &[r#""say \"hi\"\n""#], &[]);
    check(&schema(r#"{"const":1.0}"#), &["1"], &["1^."]);
}

#[test]
fn numbers_within_limits() {
    let limits = [
        (r#""minimum":0"#, -50, 50),
        (r#""minimum":-12"#, -50, 50),
        (r#""maximum":17"#, -50, 50),
        (r#""maximum":-3"#, -120, 50),
        (r#""exclusiveMinimum":9,"maximum":101"#, -20, 130),
        (r#""minimum":-105,"exclusiveMaximum":-9"#, -130, 20),
        (r#""minimum":-1.5,"maximum":1.5"#, -20, 20),
        (r#""minimum":0,"maximum":0"#, -20, 20),
        (r#""exclusiveMinimum":-1,"exclusiveMaximum":1"#, -20, 20),
        (r#""minimum":99.5,"maximum":1e2"#, 80, 120),
    ];
    for (limit, from, to) in limits {
        let json: serde_json::Value = serde_json::from_str(&format!("{{{limit}}}")).unwrap();
        let within = |v: f64| {
            let get = |key: &str| json.get(key).and_then(serde_json::Value::as_f64);
            get("minimum").is_none_or(|m| v >= m)
                && get("maximum").is_none_or(|m| v <= m)
                && get("exclusiveMinimum").is_none_or(|m| v > m)
                && get("exclusiveMaximum").is_none_or(|m| v < m)
        };
        for (kind, steps) in [("integer", 1), ("number", 20)] {
            let mut constraint = Constraint::new(&schema(&format!(r#"{{"type":"{kind}",{limit}}}"#))).unwrap();
            for i in from * steps..=to * steps {
                let v = f64::from(i) / f64::from(steps);
                assert_eq!(read(&mut constraint, &format!("{v}")).1, within(v), "{kind} {limit}: {v}");
                if kind == "number" {
                    assert_eq!(read(&mut constraint, &format!("{v:.4}")).1, within(v), "{kind} {limit}: {v:.4}");
                }
            }
        }
    }
    // What a reader takes for the limit is not beyond it.
    check(
        &schema(r#"{"type":"number","exclusiveMaximum":0.1,"minimum":0}"#),
        &["0.09999999999999999"],
        &["0.09999999999999999^9"],
    );
}

#[test]
fn objects() {
    let person = r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"tags":{"type":"array","items":{"enum":["a","b"]}}},"required":["name"],"additionalProperties":false}"#;
    check(
        &schema(person),
        &[
            r#"{"name":"x"}"#,
            r#"{"name": "x", "age": 3}"#,
            r#"{"name":"x","tags":[]}"#,
            r#"{"name":"x","age":1,"tags":["a", "b"]}"#,
        ],
        &[
            "{^}",
            r#"{"^age"#,
            r#"{"name":"x","tags":[]^,"#,
            r#"{"name":"x",  "#.trim_end(),
            r#"{"name":"x"}^ "#,
            r#"{"name":"x","tags":["a",^]"#,
        ],
    );
    check(
        &schema(r#"{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":{"type":"boolean"}}"#),
        &["{}", r#"{"a":null}"#, r#"{"a":null,"b":true}"#, r#"{"ab":true}"#, r#"{"b":true,"c":false}"#, r#"{"":true}"#],
        &[r#"{"a":^t"#, r#"{"b":true,"a^""#],
    );
    check(
        &schema(
            r#"{"type":"object","patternProperties":{"^n_":{"type":"integer"},"^s_":{"type":"string"}},"additionalProperties":false}"#,
        ),
        &[r#"{"n_x":1,"s_":"a"}"#, "{}"],
        &[r#"{"n_x":^""#, r#"{"^x"#],
    );
    check(
        &schema(r#"{"required":["z"],"type":"object","additionalProperties":{"type":"null"}}"#),
        &[r#"{"z":null}"#, r#"{"z":null,"y":null}"#],
        &["{^}"],
    );
    check(&Format::Json, &["{}", r#"{"a": [1, {"b": null}], "c": "d"}"#], &["^[", "{^ "]);
    fails(&schema(r#"{"type":"object","patternProperties":{"a":{},"b":{"type":"null"}}}"#), "patternProperties");
}

#[test]
fn arrays() {
    let items = |more: &str| schema(&format!(r#"{{"type":"array","items":{{"type":"integer"}}{more}}}"#));
    check(&items(""), &["[]", "[1]", "[1, 2,3]"], &["[^ ", "[1,^]"]);
    check(&items(r#","minItems":2,"maxItems":3"#), &["[1,2]", "[1,2,3]"], &["[^]", "[1^]", "[1,2,3^,"]);
    check(&items(r#","maxItems":0"#), &["[]"], &["[^1"]);
    check(
        &schema(
            r#"{"type":"array","prefixItems":[{"type":"null"},{"type":"boolean"}],"items":{"type":"integer"},"minItems":1,"maxItems":4}"#,
        ),
        &["[null]", "[null,true]", "[null,true,1,2]"],
        &["[^]", "[null,^n", "[null,true,1,2^,"],
    );
    check(
        &schema(r#"{"type":"array","prefixItems":[{"type":"null"}],"items":false}"#),
        &["[]", "[null]"],
        &["[null^,"],
    );
}

#[test]
fn combinations() {
    check(
        &schema(r#"{"anyOf":[{"type":"string","maxLength":1},{"type":"integer","minimum":5}]}"#),
        &[r#""a""#, "5"],
        &["4", r#""a^b"#],
    );
    check(&schema(r#"{"allOf":[{"type":"integer","minimum":2},{"maximum":4}]}"#), &["2", "4"], &["^5", "^1"]);
    let tagged = r#"{"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"x":{"type":"integer"}},"required":["k","x"],"additionalProperties":false},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"],"additionalProperties":false}]}"#;
    check(&schema(tagged), &[r#"{"k":"a","x":1}"#, r#"{"k":"b"}"#], &[r#"{"k":"b"^,"#, r#"{"k":"^c"#]);
    fails(&schema(r#"{"oneOf":[{"type":"integer"},{"type":"number","minimum":3}]}"#), "'oneOf' at # can't");
    check(
        &schema(
            r#"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"allOf":[{"properties":{"a":{"minimum":3},"b":{"type":"null"}}}],"additionalProperties":false}"#,
        ),
        &[r#"{"a":3}"#],
        &[r#"{"a":2^}"#, r#"{"a":3^,"#],
    );
    let tree = r##"{"$defs":{"n":{"type":"object","properties":{"v":{"type":"integer"},"c":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["v"],"additionalProperties":false}},"$ref":"#/$defs/n"}"##;
    check(&schema(tree), &[r#"{"v":1,"c":[{"v":2},{"v":3,"c":[]}]}"#], &[r#"{"v":1,"c":[{"v":2},{"^c"#]);
    // What could never be ended is not begun.
    check(
        &schema(
            r##"{"type":"object","properties":{"a":{"$ref":"#"},"b":{"type":"object","properties":{"c":{"$ref":"#/properties/b"}},"required":["c"]}},"additionalProperties":false}"##,
        ),
        &["{}", r#"{"a":{"a":{}}}"#],
        &[r#"{"^b"#],
    );
    fails(&schema(r##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##), "no text at all");
}

#[test]
fn strings_of_patterns_and_formats() {
    let text = |more: &str| schema(&format!(r#"{{"type":"string",{more}}}"#));
    check(&text(r#""pattern":"^[a-c]+$""#), &[r#""abc""#], &[r#""^""#, r#""ab^d"#]);
    check(&text(r#""pattern":"b","maxLength":3"#), &[r#""b""#, r#""abé""#], &[r#""aa^a"#, r#""bbb^b"#]);
    check(&text(r#""pattern":"^(\\w+\\n|\"q\")$""#), &[r#""a\n""#, r#""\"q\"""#], &[r#""a\^t"#]);
    check(&text(r#""pattern":"^a|b$""#), &[r#""ax""#, r#""xb""#], &[r#""x^""#]);
    check(
        &text(r#""format":"date""#),
        &[r#""2024-02-29""#, r#""1999-12-31""#, r#""2000-02-29""#],
        &[
            r#""2023-02-29^""#.replace("9^", "^9").as_str(),
            r#""1900-02-2^9""#,
            r#""2024-13"#.replace("13", "1^3").as_str(),
            r#""2024-04-3^1""#,
        ],
    );
    check(
        &text(r#""format":"date-time""#),
        &[r#""2024-05-01T23:59:59.5+02:00""#, r#""2024-05-01T00:00:00Z""#],
        &[r#""2024-05-01^ "#, r#""2024-05-01T2^4"#],
    );
    check(&text(r#""format":"time""#), &[r#""10:00:00Z""#], &[r#""10:00:00^""#]);
    check(&text(r#""format":"uuid""#), &[r#""123e4567-e89b-12d3-a456-426614174000""#], &[r#""123e4567^e"#]);
    check(&text(r#""format":"email""#), &[r#""a.b+c@example.org""#], &[r#""a@b^""#, r#""^@"#]);
    check(
        &text(r#""format":"ipv4""#),
        &[r#""255.0.10.1""#],
        &[r#""25^6"#, r#""1.2.3^""#, r#""01"#.replace("01", "0^1").as_str()],
    );
    check(
        &text(r#""format":"ipv6""#),
        &[r#""::""#, r#""::1""#, r#""1:2:3:4:5:6:7:8""#, r#""1::8""#, r#""::ffff:1.2.3.4""#, r#""1:2:3:4:5:6:7::""#],
        &[r#""1:2:3:4:5:6:7^""#, r#""1::2::"#.replace("2::", "2:^:").as_str()],
    );
    check(
        &text(r#""format":"uri""#),
        &[r#""https://user@a.b:80/c%20d/?q=1#f""#, r#""mailto:a@b""#, r#""http://[::1]/""#],
        &[r#""^/"#, r#""a^/"#, r#""a:b^ "#],
    );
}

#[test]
fn what_cannot_be_enforced_is_named() {
    for (text, with) in [
        (r#"{"not":{}}"#, "'not' at #"),
        (r#"{"properties":{"a/b":{"if":{}}}}"#, "'if' at #/properties/a~1b"),
        (r#"{"uniqueItems":true}"#, "uniqueItems"),
        (r#"{"type":"integer","multipleOf":3}"#, "multipleOf"),
        (r#"{"minlength":3}"#, "'minlength'"),
        (r#"{"format":"color"}"#, "'format'"),
        (r#"{"pattern":"(?=a)"}"#, "look-ahead"),
        (r##"{"$ref":"#/$defs/x"}"##, "'$ref'"),
        (r#"{"$ref":"http://a"}"#, "'$ref'"),
        (r#"{"minProperties":2}"#, "minProperties"),
        (r#"{"type":"text"}"#, "'type'"),
        (r#"{"type":"string","minLength":-1}"#, "minLength"),
        (r#"{"a""#, "no JSON"),
        (r#"{"type":"string","minLength":3,"maxLength":2}"#, "no text"),
        ("7", "a schema is"),
        (r#"{"enum":[]}"#, "'enum'"),
        (r#"{"items":[{}]}"#, "prefixItems"),
    ] {
        fails(&schema(text), with);
    }
    fails(&schema(&"[".repeat(300)), "nested");
}

#[test]
fn regular_expressions() {
    let regex = |text: &str| Format::Regex(text.to_owned());
    check(&regex(r"\d{3}-[A-Z]+?"), &["123-A", "000-ABC"], &["12^a", "123-^a"]);
    check(&regex("(?:a|bc)*d?"), &["", "abca", "bcd"], &["b^d", "d^d"]);
    check(&regex("^é[^\\x00-\\x7f]$"), &["éé", "é😀"], &["é^a"]);
    check(&regex("a{2}|b{2,}|c{0,1}"), &["aa", "bbb", "c", ""], &["aa^a", "b"]);
    check(&regex("x{,2}y{a}"), &["x{,2}y{a}"], &[]);
    check(&regex(r"[\]\-a-c.]\.\u00e9\u{1F600}"), &["].é😀", "-.é😀"], &["^d"]);
    for (text, with) in [
        ("(a", "not closed"),
        ("a)", "closes no"),
        ("*", "repeats nothing"),
        (r"\bx", "word"),
        (r"(a)\1", "back-ref"),
        ("a^b", "anchor"),
        ("[b-a]", "order"),
        ("[a", "not closed"),
        ("(?<=a)", "look-behind"),
        ("a{3,2}", "repetition"),
        (r"\p{L}", "\\p"),
    ] {
        fails(&regex(text), with);
    }
    fails(&regex(&"(".repeat(500)), "nested");
    fails(&regex("[]"), "no text at all");
}

#[test]
fn grammars() {
    let grammar = |text: &str| Format::Grammar(text.to_owned());
    let sums = "root ::= expr\nexpr ::= term (\"+\" term)* # a sum\nterm ::= [0-9]+ |\n  \"(\" expr \")\"\n";
    check(&grammar(sums), &["1", "12+(3+4)"], &["1+^+", "(1^x", "(1"]);
    check(&grammar("root ::= \"\\x41\\u00e9\" [^a-y\\n]{2,3} .?"), &["AéZZ", "Aézzé"], &["Aé^a", "Aéz"]);
    check(&grammar("root ::= list\nlist ::= \"x\" list | \"\""), &["", "xxx"], &["x^y"]);
    for (text, with) in [
        ("a ::= \"b\"", "'root'"),
        ("root ::= x", "'x'"),
        ("root ::= root \"a\" | \"b\"", "left recursion"),
        ("root ::= a\na ::= b? a | \"x\"\nb ::= \"y\"", "left recursion"),
        ("root ::= (", "closed"),
        ("root = a", "line 1"),
        ("root ::= \"a", "closed"),
        ("root ::= \"a\"\nroot ::= \"b\"", "twice"),
        ("root ::= \"a\" root", "no text"),
    ] {
        fails(&grammar(text), with);
    }
    check(&Format::Choice(vec!["yes".into(), "no".into(), "yes!".into()]), &["yes", "no", "yes!"], &["y^o", "n"]);
    fails(&Format::Choice(Vec::new()), "choices");
}
