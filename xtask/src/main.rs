//! Builds of webgguf, as the npm scripts and CI call them.
//!
//! - `cargo xtask build [--dev]`: the npm package in `pkg/`; with `--dev` built in a fraction of the time, and larger
//! - `cargo xtask size`: what the package weighs, against its budget

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What wasm and JavaScript may weigh together, brotli 11.
const BUDGET_BYTES: usize = 450_000;

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
        ["size"] => size(),
        _ => Err("usage: cargo xtask build [--dev] | size".into()),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root").to_path_buf()
}

fn run(program: &str, args: &[&str]) -> Result<()> {
    let status = Command::new(program).args(args).status().map_err(|e| format!("{program}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} {args:?}: {status}").into()) }
}

/// The package: wasm-bindgen's output, optimised, and what `pkg-templates/` adds.
fn build(optimise: bool) -> Result<()> {
    let target = "wasm32-unknown-unknown";
    let profile = if optimise { "release" } else { "quick" };
    let args = ["build", "--quiet", "--profile", profile, "--lib", "--package", "webgguf", "--target", target];
    run(env!("CARGO"), &args)?;
    let wasm = env::var("CARGO_TARGET_DIR").map_or_else(|_| PathBuf::from("target"), PathBuf::from);
    let wasm = wasm.join(target).join(profile).join("webgguf.wasm");
    if Path::new("pkg").exists() {
        fs::remove_dir_all("pkg")?;
    }
    fs::create_dir_all("pkg")?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&wasm)
        .web(true)?
        .typescript(false)
        // `index.js` names the wasm, once.
        .omit_default_module_path(true)
        .generate("pkg")?;
    if optimise {
        let file = "pkg/webgguf_bg.wasm";
        let mut args = vec![file, "-o", file, "-Oz", "--strip-debug", "--strip-producers"];
        args.extend(WASM_FEATURES);
        run("node_modules/.bin/wasm-opt", &args)?;
    }
    for entry in fs::read_dir("pkg-templates")? {
        let path = entry?.path();
        if path.is_file() {
            fs::copy(&path, Path::new("pkg").join(path.file_name().expect("a file has a name")))?;
        }
    }
    fs::copy("LICENSE", "pkg/LICENSE")?;
    Ok(())
}

fn size() -> Result<()> {
    let mut total = 0;
    for entry in fs::read_dir("pkg")? {
        let path = entry?.path();
        let shipped = path.extension().is_some_and(|e| e == "js" || e == "wasm");
        if !shipped {
            continue;
        }
        let bytes = fs::read(&path)?;
        let mut out = Vec::new();
        let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
        brotli::BrotliCompress(&mut bytes.as_slice(), &mut out, &params)?;
        println!("{:>9} {:>9} brotli  {}", bytes.len(), out.len(), path.display());
        total += out.len();
    }
    println!("{total:>19} brotli in all, {BUDGET_BYTES} allowed");
    if total > BUDGET_BYTES {
        Err(format!("the package weighs {total} bytes, {BUDGET_BYTES} are allowed").into())
    } else {
        Ok(())
    }
}
