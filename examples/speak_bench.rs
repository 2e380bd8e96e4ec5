//! How fast Kokoro speaks, by length of the text, and what its kernels take. With weights of no meaning if no file is named: the time does not
//! depend on them.
//!
//!     cargo run --release --features speech --example speak_bench -- [kokoro.gguf]

use std::time::Instant;

use webgguf::formats::gguf::{GgmlType, GgufWriter, NewTensor, write};
use webgguf::gpu::{Gpu, Plan};
use webgguf::source::{ByteSource, FileSource, MemorySource};
use webgguf::speech::kokoro::{ARCHITECTURE, FRAME, Kokoro, SAMPLE_RATE, Weights};

/// A text: its tokens, and for each token its number of frames.
const TEXTS: [(u32, u32); 5] = [(4, 2), (20, 3), (60, 3), (120, 3), (300, 3)];
const REPEATS: usize = 5;
/// Kernels that are shown, the slowest first.
const SHOWN: usize = 25;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pollster::block_on(async {
        match std::env::args().nth(1) {
            Some(file) => bench(&FileSource::open(file)?).await,
            None => bench(&MemorySource(made_up()?)).await,
        }
    })
}

/// A file with all tensors.
fn made_up() -> webgguf::Result<Vec<u8>> {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut tensor = |t: webgguf::formats::gguf::TensorInfo| {
        let bytes = match t.ty {
            GgmlType::I8 => (0..t.n_elems()).map(|_| next()).collect(),
            _ => (0..t.n_elems()).flat_map(|_| (0.001 + f32::from(next()) * 1e-5).to_le_bytes()).collect(),
        };
        NewTensor { name: t.name, ty: t.ty, shape: t.shape.iter().map(|&d| d as u32).collect(), bytes }
    };
    let tensors: Vec<NewTensor> = Weights::tensors()?.into_iter().map(&mut tensor).collect();
    write(GgufWriter::default().string("general.architecture", ARCHITECTURE), &tensors)
}

async fn bench<S: ByteSource>(file: &S) -> Result<(), Box<dyn std::error::Error>> {
    let gpu = Gpu::new().await?;
    println!("{} ({})", gpu.caps.adapter, gpu.caps.backend);
    let kokoro = Kokoro::load(gpu, file, &()).await?;
    println!("{} bytes of weights", kokoro.info.weight_bytes);
    kokoro.set(&[0; 4], &[0.1; 256])?;
    for (tokens, frames) in TEXTS {
        let [text, audio] = kokoro.plans(tokens, frames)?;
        kokoro.gpu.compile(|_, _| {}).await?;
        let (text_ms, audio_ms) = (fastest(&kokoro.gpu, &text).await?, fastest(&kokoro.gpu, &audio).await?);
        let seconds = f64::from(tokens * frames * FRAME) / f64::from(SAMPLE_RATE);
        let speed = seconds * 1e3 / (text_ms + audio_ms);
        let memory = kokoro.gpu.allocated_bytes() >> 20;
        println!(
            "{tokens} tokens, {seconds:.2} s: text {text_ms:.2} ms, audio {audio_ms:.2} ms, {speed:.1} times as fast as it is heard, {memory} MiB"
        );
        if kokoro.gpu.caps.timestamps && (tokens, frames) == TEXTS[2] {
            for plans in [&text, &audio] {
                let plans: Vec<&Plan> = plans.iter().collect();
                let profile = kokoro.gpu.profile(&plans, 1, || {}).await?;
                println!("  {:.0} us", profile.step_us);
                let mut kernels = profile.kernels;
                kernels.sort_by(|a, b| (b.us * b.dispatches as f64).total_cmp(&(a.us * a.dispatches as f64)));
                for k in kernels.iter().take(SHOWN) {
                    println!("  {:40} {:3} x {:8.1} us", k.name, k.dispatches, k.us);
                }
            }
        }
    }
    Ok(())
}

async fn fastest(gpu: &Gpu, plans: &[Plan]) -> webgguf::Result<f64> {
    let mut fastest = f64::INFINITY;
    for _ in 0..REPEATS {
        let started = Instant::now();
        for plan in plans {
            gpu.submit([plan], 1, None);
        }
        gpu.finish(true).await?;
        fastest = fastest.min(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(fastest)
}
