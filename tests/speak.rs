//! The command `webgguf speak`: its arguments, what it refuses, and what it writes. The dictionary and the model are not in the
//! repository: `scripts/speech/README.md` says how they are made. Without them, what needs them is skipped.

#[path = "common/data.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod data;

use std::path::PathBuf;
use std::process::{Command, Output};

use data::repository;

const VOICE: [&str; 4] = ["--voices", "none.gguf", "--voice", "jf_alpha"];

fn speak(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_webgguf")).arg("speak").args(args).current_dir(repository()).output().unwrap()
}

/// What it says to arguments that are refused. Nothing is written.
fn refused(args: &[&str]) -> String {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("refused.wav");
    let args = [args, &VOICE, &["--out", out.to_str().unwrap()]].concat();
    let output = speak(&args);
    assert!(!output.status.success() && output.stdout.is_empty() && !out.exists(), "{args:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The dictionary, or nothing where it was not made.
fn dictionary() -> Option<String> {
    let file = repository().join("models/speech-en-us.dict");
    if !file.exists() {
        println!("SKIP: no {}", file.display());
        return None;
    }
    Some(file.to_str().unwrap().to_owned())
}

#[test]
fn a_text_or_phonemes_are_spoken() {
    for (args, says) in [
        (&["none.gguf"][..], "--text <TEXT>"),
        (&["none.gguf", "--text", "Oh.", "--phonemes", "ˈoʊ."], "cannot be used with"),
        (&["none.gguf", "--phonemes", "ˈoʊ.", "--dictionary", "none.dict"], "cannot be used with"),
        (&["none.gguf", "--phonemes", "a#"], "symbol 1 of the phonemes is '#'"),
        (&["none.gguf", "--phonemes", ""], "there are 0 phonemes"),
    ] {
        let said = refused(args);
        assert!(said.contains(says), "{args:?}: {said}");
    }
}

#[test]
fn the_dictionary_is_beside_the_model_or_named() {
    for (args, says) in [
        (&["none/kokoro.gguf", "--text", "Oh."][..], "'none/speech-en-us.dict'"),
        (&["none/kokoro.gguf", "--text", "Oh."], "--dictionary FILE names another"),
        (&["none/kokoro.gguf", "--text", "Oh.", "--dictionary", "none.dict"], "'none.dict'"),
        (&["none.gguf", "--text", "Oh.", "--dictionary", "Cargo.toml"], "'Cargo.toml': no dictionary of version 1"),
    ] {
        let said = refused(args);
        assert!(said.contains(says), "{args:?}: {said}");
    }
}

#[test]
fn what_can_not_be_said_is_told() {
    let Some(dictionary) = dictionary() else { return };
    let said = refused(&["none.gguf", "--text", "🎉", "--dictionary", &dictionary]);
    assert!(said.contains("not said: '🎉'") && said.contains("the text has nothing to say in it"), "{said}");
    // The text is fine; the file with voices is not there.
    let said = refused(&["none.gguf", "--text", "-5 is less.", "--dictionary", &dictionary]);
    assert!(said.contains("'none.gguf'"), "{said}");
}

/// With the model of `WEBGGUF_KOKORO`, as tests/kokoro.rs.
#[test]
fn sentences_are_spoken_one_after_the_other() {
    let Some(folder) = std::env::var_os("WEBGGUF_KOKORO").map(PathBuf::from) else {
        println!("SKIP: WEBGGUF_KOKORO is not set");
        return;
    };
    let Some(dictionary) = dictionary() else { return };
    let (model, voices) = (folder.join("kokoro.gguf"), folder.join("voices.gguf"));
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("spoken.wav");
    let [model, voices, out] = [&model, &voices, &out].map(|path| path.to_str().unwrap());
    let files = [model, "--voices", voices, "--dictionary", &dictionary, "--out", out];
    let output = speak(&[&files[..], &["--voice", "nobody", "--text", "Oh."]].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("there is no voice 'nobody'"), "{said}");

    let how = ["--voice", "jf_alpha", "--text", "Oh! Oh.", "--speed", "4", "--json"];
    let output = speak(&[&files[..], &how].concat());
    assert!(output.status.success(), "{output:?}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let parts = json["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    let samples: u64 = parts.iter().map(|part| part["samples"].as_u64().unwrap()).sum();
    assert_eq!(json["samples"], samples);
    for part in parts {
        let frames: u64 = part["durations"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(part["samples"], frames * json["samplesPerFrame"].as_u64().unwrap());
        for stage in ["textMs", "recordMs", "audioMs"] {
            assert!(part["stats"][stage].as_f64().unwrap() > 0.0, "{stage}");
        }
    }
    // A head of 44 bytes, and 2 a sample.
    assert_eq!(std::fs::metadata(out).unwrap().len(), 44 + 2 * samples);
}
