//! Times an encoder on the native GPU: one sentence, many, and each kernel of a batch, the slowest first.
//!
//! usage: cargo run --release --features encoder --example embed_bench -- MODEL.gguf [SENTENCES]

use std::time::Instant;

use webgguf::Result;
use webgguf::encoder::{EmbedOptions, Embedder};
use webgguf::source::FileSource;

/// Words of one token each to BERT: with `[CLS]` and `[SEP]`, 20 tokens.
const SENTENCE: &str = "the old man looked at the sea and said that the wind would change before the night was over";
/// Unless the caller says how many.
const SENTENCES: usize = 1000;
/// Calls that are timed; the first, which is not, compiles kernels in drivers that wait until then.
const RUNS: usize = 9;

fn main() -> Result<()> {
    pollster::block_on(async {
        let mut args = std::env::args().skip(1);
        let path = args.next().expect("a model");
        let sentences = args.next().map_or(SENTENCES, |n| n.parse().expect("a number of sentences"));
        let embedder = Embedder::load(&FileSource::open(&path)?, None, &()).await?;
        let caps = &embedder.gpu.caps;
        println!("# {} subgroups {}", caps.adapter, caps.subgroup_min);
        println!("{path}: {} tokens a sentence", embedder.count(SENTENCE, &Default::default())?);
        for n in [1, sentences] {
            time(&embedder, n).await?;
        }
        kernels(&embedder, sentences.min(200)).await
    })
}

async fn time(embedder: &Embedder, n: usize) -> Result<()> {
    let texts = vec![SENTENCE; n];
    let mut times = Vec::new();
    for _ in 0..=RUNS {
        let start = Instant::now();
        embedder.embed(&texts, &EmbedOptions::default(), &()).await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.remove(0);
    times.sort_by(f64::total_cmp);
    let ms = times[RUNS / 2];
    println!("{n:5} sentences: {ms:.2} ms, median of {RUNS}; {:.0} sentences a second", n as f64 / ms * 1e3);
    Ok(())
}

async fn kernels(embedder: &Embedder, sentences: usize) -> Result<()> {
    if !embedder.gpu.caps.timestamps {
        return Ok(());
    }
    for n in [1, sentences] {
        let mut profile = embedder.profile(&vec![SENTENCE; n]).await?;
        println!("a batch of {n}: {:.1} us on the GPU, of which", profile.step_us);
        profile.kernels.sort_by(|a, b| (b.us * b.dispatches as f64).total_cmp(&(a.us * a.dispatches as f64)));
        for kernel in profile.kernels {
            println!("{:3} x {:7.1} {}", kernel.dispatches, kernel.us, kernel.name);
        }
    }
    Ok(())
}
