//! How long masks of allowed tokens take: `cargo run --release --example mask_bench -- VOCABULARY.gguf`. With a number after
//! it, the vocabulary is filled up to that many tokens by joining two of its own.

use std::time::Instant;

use webgguf::constrain::{Constraint, Format, Trie};
use webgguf::load::read_header;
use webgguf::source::FileSource;
use webgguf::tokenizer::Text;

const SCHEMAS: [(&str, &str); 4] = [
    (
        "object",
        r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0},"tags":{"type":"array","items":{"type":"string"}}},"required":["name","age","tags"],"additionalProperties":false}"#,
    ),
    (
        "lengths",
        r#"{"type":"object","properties":{"name":{"type":"string","maxLength":60},"text":{"type":"string","minLength":5,"maxLength":300}},"required":["name","text"],"additionalProperties":false}"#,
    ),
    (
        "patterns",
        r#"{"type":"object","properties":{"id":{"type":"string","pattern":"^[A-Z]{2}-\\d{3,8}$"},"mail":{"type":"string","format":"email"},"at":{"type":"string","format":"date-time"},"note":{"type":"string","pattern":"\\w","maxLength":80}},"required":["id","mail","at","note"],"additionalProperties":false}"#,
    ),
    ("any", r#"{"type":"object"}"#),
];
const TEXTS: [&str; 4] = [
    r#"{"name": "Anna Pavlovna Scherer", "age": 41, "tags": ["a maid of honour", "and confidante", "of the Empress"]}"#,
    r#"{"name": "Prince Vasili Kuragin", "text": "Well, Prince, so Genoa and Lucca are now just family estates of the Buonapartes."}"#,
    r#"{"id": "AB-12345", "mail": "anna.pavlovna@example.org", "at": "1805-07-01T20:30:00Z", "note": "so much for that, he said, and smiled"}"#,
    r#"{"a": {"b": [1, 2.5, {"c": null}], "d": "a text of some words"}, "e": [true, false, "x"]}"#,
];

fn main() -> webgguf::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "www/models/embedded.gguf".to_owned());
    let file = FileSource::open(&path)?;
    let (gguf, _) = pollster::block_on(read_header(&file, &()))?;
    let tokenizer = Text::from_gguf(&gguf.metadata)?.tokenizer;
    let mut tokens: Vec<Vec<u8>> = (0..tokenizer.n_vocab()).map(|id| tokenizer.token_bytes(id).to_vec()).collect();
    let n = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(tokens.len());
    let own = tokens.len();
    for i in 0..n.saturating_sub(own) {
        let joined = [tokens[i * 7 % own].as_slice(), &tokens[i * 13 % own]].concat();
        tokens.push(joined);
    }
    let started = Instant::now();
    let trie = Trie::new(tokens.len() as u32, |id| tokens[id as usize].as_slice());
    println!("{} tokens, {} nodes: {:.0} ms", tokens.len(), trie.n_nodes(), started.elapsed().as_secs_f64() * 1e3);
    for ((name, schema), text) in SCHEMAS.iter().zip(TEXTS) {
        let started = Instant::now();
        let mut constraint = Constraint::new(&Format::JsonSchema((*schema).to_owned()))?;
        let compiled = started.elapsed().as_secs_f64() * 1e3;
        for round in ["first", "again"] {
            let mut state = constraint.start();
            let mut times = Vec::new();
            for id in tokenizer.encode(text, Default::default()) {
                let started = Instant::now();
                constraint.mask(&trie, state)?;
                let bytes = tokenizer.token_bytes(id);
                state = constraint
                    .advance(state, bytes)?
                    .unwrap_or_else(|| panic!("{name} refuses {:?}", String::from_utf8_lossy(bytes)));
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
            times.sort_by(f64::total_cmp);
            let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
            println!(
                "{name}, {round}: {} tokens, median {median:.3} ms, worst {worst:.2} ms; compiled in {compiled:.1} ms",
                times.len()
            );
        }
    }
    Ok(())
}
