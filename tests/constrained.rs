//! Generations within a format, on a model that knows nothing of it: what comes out is of the format, or its beginning.

mod common;

use std::rc::Rc;

use common::{load, repository};
use serde_json::Value;
use webgguf::constrain::Format;
use webgguf::llm::{FinishReason, GenerateOptions, Sampling, Session};

fn embedded() -> Rc<Session> {
    load(&repository().join("www/models/embedded.gguf"), true)
}

fn generate(
    session: &Rc<Session>,
    prompt: &[u32],
    format: Option<&Format>,
    options: GenerateOptions,
) -> (String, FinishReason) {
    pollster::block_on(async {
        let constraint = format.map(|format| session.constraint(format.clone(), true).unwrap());
        let mut generation = session.generate_within(0, prompt, options, constraint).await.unwrap();
        let mut text = String::new();
        while let Some(piece) = generation.next().await.unwrap() {
            text.push_str(&piece);
        }
        drop(generation);
        (text, session.stats().finish_reason.unwrap())
    })
}

fn options(temperature: f32, seed: u32, max_tokens: u32) -> GenerateOptions {
    let sampling = Sampling { temperature, top_k: 0, top_p: 1.0, min_p: 0.0, repeat_penalty: 1.0, seed };
    GenerateOptions { max_tokens, sampling, ..GenerateOptions::default() }
}

const PERSON: &str = r#"{
  "type": "object",
  "properties": {
    "name": { "type": "string", "minLength": 1, "maxLength": 12 },
    "age": { "type": "integer", "minimum": 0, "maximum": 130 },
    "mood": { "enum": ["glad", "sad", null] },
    "born": { "type": "string", "format": "date" },
    "scores": { "type": "array", "items": { "type": "number", "minimum": -1, "maximum": 1 }, "minItems": 1, "maxItems": 3 }
  },
  "required": ["name", "age", "mood", "scores"],
  "additionalProperties": false
}"#;

fn is_person(value: &Value) -> bool {
    let length = value["name"].as_str().unwrap().chars().count();
    let scores = value["scores"].as_array().unwrap();
    (1..=12).contains(&length)
        && value["age"].as_u64().unwrap() <= 130
        && (value["mood"].is_null() || value["mood"] == "glad" || value["mood"] == "sad")
        && value.get("born").is_none_or(|born| born.as_str().unwrap().len() == 10)
        && (1..=3).contains(&scores.len())
        && scores.iter().all(|score| (-1.0..=1.0).contains(&score.as_f64().unwrap()))
        && value.as_object().unwrap().keys().all(|key| PERSON.contains(&format!("\"{key}\"")))
}

#[test]
fn what_ends_is_of_the_format_and_what_is_cut_says_so() {
    let session = embedded();
    let prompt = session.text.prompt_ids("The prince wrote: ");
    let format = Format::JsonSchema(PERSON.to_owned());
    let mut n_whole = 0;
    for (temperature, seed) in [(0.0, 0), (0.8, 1), (1.0, 2), (1.5, 3), (3.0, 4), (3.0, 5)] {
        let (text, reason) = generate(&session, &prompt, Some(&format), options(temperature, seed, 200));
        println!("{temperature}: {text} ({})", reason.name());
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                assert!(is_person(&value), "{text}");
                assert_eq!(reason, FinishReason::End);
                n_whole += 1;
            }
            Err(_) => assert_eq!(reason, FinishReason::Length, "{text}"),
        }
    }
    assert!(n_whole >= 3, "{n_whole} ended");
}

#[test]
fn every_kind_of_format_is_kept_to() {
    let session = embedded();
    let prompt = session.text.prompt_ids("He answered ");
    for seed in 0..4 {
        let temperature = seed as f32;
        let write = |format: &Format| generate(&session, &prompt, Some(format), options(temperature, seed, 120));
        let (text, reason) = write(&Format::Choice(vec!["yes".into(), "no".into(), "perhaps not".into()]));
        assert!(["yes", "no", "perhaps not"].contains(&text.as_str()) && reason == FinishReason::End, "{text}");
        let (text, _) = write(&Format::Regex(r"[A-Z]{2}\d{4}".into()));
        let (letters, digits) = text.split_at(2);
        assert!(letters.bytes().all(|b| b.is_ascii_uppercase()) && digits.len() == 4, "{text}");
        assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{text}");
        let (text, _) = write(&Format::Grammar("root ::= \"(\" (root | [ab]) \")\"".into()));
        if text.ends_with(')') && text.matches('(').count() == text.matches(')').count() {
            let inner = text.trim_matches(['(', ')']);
            assert!(inner == "a" || inner == "b", "{text}");
        }
        let (text, reason) = write(&Format::Json);
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => assert!(value.is_object(), "{text}"),
            Err(_) => assert_eq!(reason, FinishReason::Length, "{text}"),
        }
    }
}

#[test]
fn a_text_that_was_cut_goes_on_within_its_format() {
    let session = embedded();
    let prompt = session.text.prompt_ids("The prince wrote: ");
    let format = Format::JsonSchema(PERSON.to_owned());
    let (whole, _) = generate(&session, &prompt, Some(&format), options(0.0, 0, 60));
    let constraint = || Some(session.constraint(format.clone(), true).unwrap());
    pollster::block_on(async {
        let mut generation = session.generate_within(0, &prompt, options(0.0, 0, 7), constraint()).await.unwrap();
        let mut text = String::new();
        while let Some(piece) = generation.next().await.unwrap() {
            text.push_str(&piece);
        }
        let ids = [prompt.as_slice(), generation.generated()].concat();
        drop(generation);
        let mut rest = options(0.0, 0, 53);
        rest.earlier.n_generated = ids.len() - prompt.len();
        let (more, _) = {
            let mut generation = session.generate_within(0, &ids, rest, constraint()).await.unwrap();
            let mut more = String::new();
            while let Some(piece) = generation.next().await.unwrap() {
                more.push_str(&piece);
            }
            (more, ())
        };
        assert_eq!(text + &more, whole);
    });
}

#[test]
fn without_a_format_the_next_text_is_free_again() {
    let session = embedded();
    let prompt = session.text.prompt_ids("It was already late when Prince");
    let free = || GenerateOptions { max_tokens: 20, sampling: Sampling::GREEDY, ..GenerateOptions::default() };
    let (before, _) = generate(&session, &prompt, None, free());
    generate(&session, &prompt, Some(&Format::Choice(vec!["x".into()])), options(0.0, 0, 5));
    assert_eq!(generate(&session, &prompt, None, free()).0, before);
    // A format that is wrong is an error, and the model is free for the next call.
    assert!(session.constraint(Format::Regex("(".into()), true).is_err());
    assert_eq!(generate(&session, &prompt, None, free()).0, before);
}
