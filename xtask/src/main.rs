//! Builds of webgguf, as the npm scripts and CI call them.
//!
//! - `cargo xtask build [--dev]`: the npm package in `pkg/`; with `--dev` built in a fraction of the time, and larger
//! - `cargo xtask wasm-tests`: the tests that run in a browser without the package, in `target/wasm-tests/`
//! - `cargo xtask engine FAMILY FEATURES FOLDER`: the wasm of one family into a folder, for a package of one model
//! - `cargo xtask size`: what each family weighs, against its budget

mod names;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A family of models with a wasm of its own.
struct Family {
    name: &'static str,
    /// Of the crate.
    features: &'static str,
    /// The scripts that a page or a worker begins with.
    entries: &'static [&'static str],
    /// What wasm and JavaScript may weigh together, brotli 11.
    budget_bytes: usize,
}

const FAMILIES: [Family; 5] = [
    Family {
        name: "webgguf",
        features: "llm,templates",
        entries: &["index.js", "worker.js", "node.js"],
        budget_bytes: 380_000,
    },
    // Its script is among those of language models.
    Family { name: "webgguf_constrain", features: "constrain", entries: &[], budget_bytes: 60_500 },
    Family { name: "webgguf_embed", features: "encoder", entries: &["embed.js"], budget_bytes: 160_000 },
    Family { name: "webgguf_hands", features: "hands", entries: &["hands.js"], budget_bytes: 115_000 },
    Family { name: "webgguf_speech", features: "speech", entries: &["speech.js"], budget_bytes: 187_000 },
];

/// What scripts make for the package, and the script. A build without it has none.
const EXTRAS: [(&str, &str); 3] = [
    ("scripts/hands/model.mjs", "hands-lite.gguf"),
    ("scripts/speech/dictionary.py", "speech-en-us.dict"),
    ("scripts/speech/vad.mjs", "silero-vad.gguf"),
];

const TARGET: &str = "wasm32-unknown-unknown";

/// Files of `tests/` that run in a browser as they do natively.
const WASM_TESTS: [&str; 3] = ["base", "kokoro_blocks", "rewind"];

/// What the wasm may use: rustc's own defaults, which every browser with WebGPU has. `--all-features` would
/// let wasm-opt write encodings that no browser reads yet.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

fn main() -> Result<()> {
    env::set_current_dir(root())?;
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["build"] => build(true),
        ["build", "--dev"] => build(false),
        ["wasm-tests"] => wasm_tests(),
        ["engine", family, features, folder] => build_wasm(family, features, folder, true),
        ["size"] => size(),
        _ => Err("usage: cargo xtask build [--dev] | wasm-tests | engine FAMILY FEATURES FOLDER | size".into()),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root").to_path_buf()
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|e| format!("{command:?}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// Flags by which sources of crates are named in panics without where this machine keeps them: the same sources give the
/// same wasm everywhere.
fn without_local_paths() -> Result<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = home.ok_or("there is no home folder")?.join("registry/src");
    let mut flags = Vec::new();
    for registry in fs::read_dir(&registries).map_err(|e| format!("{}: {e}", registries.display()))? {
        flags.push(format!("--remap-path-prefix={}=crates", registry?.path().display()));
    }
    // Where the sources of the standard library are installed, panics in it name them there.
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).output()?;
    let sysroot = String::from_utf8(rustc.stdout)?;
    flags.push(format!("--remap-path-prefix={}/lib/rustlib/src/rust=rust", sysroot.trim()));
    flags.sort();
    Ok(flags.join("\u{1f}"))
}

/// The package: what wasm-bindgen makes of each family, optimised, and what `pkg-templates/` adds.
fn build(optimise: bool) -> Result<()> {
    if Path::new("pkg").exists() {
        fs::remove_dir_all("pkg")?;
    }
    fs::create_dir_all("pkg")?;
    for family in &FAMILIES {
        build_wasm(family.name, family.features, "pkg", optimise)?;
    }
    for path in files("pkg-templates")? {
        let to = Path::new("pkg").join(path.strip_prefix("pkg-templates")?);
        fs::create_dir_all(to.parent().ok_or("a file has a folder")?)?;
        fs::copy(&path, to)?;
    }
    for (_, name) in EXTRAS {
        let made = Path::new("models").join(name);
        if made.exists() {
            fs::copy(made, Path::new("pkg").join(name))?;
        }
    }
    fs::copy("LICENSE", "pkg/LICENSE")?;
    if optimise { run(Command::new("node").args(["scripts/minify.mjs", "pkg"])) } else { Ok(()) }
}

/// The wasm of a family with these features, and its scripts, into a folder. Where WEBGGUF_KERNELS names a selection, the
/// build script leaves other kernels out.
fn build_wasm(name: &str, features: &str, folder: &str, optimise: bool) -> Result<()> {
    let profile = if optimise { "release" } else { "quick" };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--profile", profile, "--lib", "--package", "webgguf", "--target", TARGET]);
    cargo.args(["--no-default-features", "--features", features]);
    run(cargo.env("CARGO_ENCODED_RUSTFLAGS", without_local_paths()?))?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(target_folder().join(TARGET).join(profile).join("webgguf.wasm"))
        .out_name(name)
        .web(true)?
        .typescript(false)
        // The package's scripts name the wasm, once.
        .omit_default_module_path(true)
        .generate(folder)?;
    if optimise {
        let file = format!("{folder}/{name}_bg.wasm");
        let mut args = vec![&*file, "-o", &file, "-Oz", "--strip-debug", "--strip-producers"];
        args.push("--minify-imports-and-exports-and-modules");
        // Functions that are called once stay apart: a large one packs worse, 3 % after brotli.
        args.push("--one-caller-inline-max-function-size=0");
        args.extend(WASM_FEATURES);
        let wasm_opt = Command::new("node_modules/.bin/wasm-opt").args(args).stderr(Stdio::inherit()).output()?;
        if !wasm_opt.status.success() {
            return Err(format!("wasm-opt: {}", wasm_opt.status).into());
        }
        let script = format!("{folder}/{name}.js");
        fs::write(&script, names::shortened(&fs::read_to_string(&script)?, &wasm_opt.stdout)?)?;
    }
    Ok(())
}

/// The files of a folder and of those in it.
fn files(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { all.extend(files(path)?) } else { all.push(path) }
    }
    all.sort();
    Ok(all)
}

fn target_folder() -> PathBuf {
    env::var("CARGO_TARGET_DIR").map_or_else(|_| PathBuf::from("target"), PathBuf::from)
}

/// Each of `WASM_TESTS` as a module of its own, for a page to run.
fn wasm_tests() -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--quiet", "--no-run", "--package", "webgguf", "--target", TARGET]);
    cargo.args(["--features", "test-block,speech", "--message-format", "json-render-diagnostics"]);
    cargo.args(WASM_TESTS.iter().flat_map(|name| ["--test", name]));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", without_local_paths()?).stderr(Stdio::inherit());
    let output = cargo.output()?;
    if !output.status.success() {
        return Err(format!("{cargo:?}: {}", output.status).into());
    }
    for line in String::from_utf8(output.stdout)?.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        let Some(wasm) = message["executable"].as_str() else { continue };
        let name = message["target"]["name"].as_str().ok_or("cargo names no target")?;
        wasm_bindgen_cli_support::Bindgen::new()
            .input_path(wasm)
            .out_name(name)
            .web(true)?
            .typescript(false)
            .generate(target_folder().join("wasm-tests"))?;
    }
    Ok(())
}

/// The scripts that some import, and those that these import.
fn imported(entries: &[&str]) -> Result<BTreeSet<PathBuf>> {
    let mut all = BTreeSet::new();
    let mut next: Vec<PathBuf> = entries.iter().map(|entry| Path::new("pkg").join(entry)).collect();
    while let Some(path) = next.pop() {
        let path = fs::canonicalize(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if !all.insert(path.clone()) {
            continue;
        }
        let script = fs::read_to_string(&path)?;
        let folder = path.parent().ok_or("a script has a folder")?;
        let quoted = script.split("from").skip(1).filter_map(|rest| rest.trim_start().strip_prefix(['\'', '"']));
        let names = quoted.filter_map(|rest| rest.split(['\'', '"']).next()).filter(|name| name.starts_with('.'));
        next.extend(names.map(|name| folder.join(name)));
    }
    Ok(all)
}

fn brotli_bytes(path: &Path) -> Result<usize> {
    let bytes = fs::read(path)?;
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut out, &params)?;
    println!("{:>9} {:>9} brotli  {}", bytes.len(), out.len(), path.file_name().unwrap_or_default().display());
    Ok(out.len())
}

/// What each family takes that a page downloads.
fn size() -> Result<()> {
    let mut too_large = Vec::new();
    for Family { name, entries, budget_bytes, .. } in &FAMILIES {
        let mut total = brotli_bytes(&Path::new("pkg").join(format!("{name}_bg.wasm")))?;
        for path in imported(entries)? {
            total += brotli_bytes(&path)?;
        }
        println!("{total:>19} brotli in all, {budget_bytes} allowed for {name}\n");
        if total > *budget_bytes {
            too_large.push(format!("{name} weighs {total} bytes, {budget_bytes} are allowed"));
        }
    }
    if too_large.is_empty() { Ok(()) } else { Err(too_large.join("; ").into()) }
}
