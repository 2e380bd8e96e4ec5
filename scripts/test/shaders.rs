//! Every kernel variant's WGSL as JSON, for a browser to compile: `cargo run --all-features --example shaders -- FILE`

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = PathBuf::from(std::env::args().nth(1).ok_or("usage: shaders FILE")?);
    let variants = webgguf::gpu::all_variants()?;
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    std::fs::write(file, serde_json::to_string(&variants)?)?;
    println!("{} variants", variants.len());
    Ok(())
}
