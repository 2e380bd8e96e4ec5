//! Times the networks for hands on the native GPU: a run, and each of its kernels, the slowest first.
//!
//! usage: cargo run --release --features hands --example hands_bench -- NETWORK.tflite...

use std::time::Instant;

use webgguf::Result;
use webgguf::gpu::{Allocate, Gpu};
use webgguf::hands::convert::convert;
use webgguf::hands::{Loaded, Network, Task, load};
use webgguf::load::read_header;
use webgguf::source::MemorySource;

/// Kernels that are listed.
const SLOWEST: usize = 12;
/// Runs one after the other, waited for at the end.
const RUNS: u32 = 20;

fn main() -> Result<()> {
    pollster::block_on(async {
        let gpu = Gpu::new().await?;
        println!("# {} subgroups {}", gpu.caps.adapter, gpu.caps.subgroup_min);
        for path in std::env::args().skip(1) {
            let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
            let file = MemorySource(convert(&[&bytes])?);
            let (gguf, _) = read_header(&file, &()).await?;
            for part in [Task::Palm, Task::Landmark] {
                let Some(network) = Network::of(&gguf, part, gpu.max_binding_bytes())? else { continue };
                for loaded in load(&gpu, &file, vec![network], &()).await? {
                    println!("\n{}", loaded.network.kind.source);
                    time(&gpu, &loaded).await?;
                }
            }
        }
        Ok(())
    })
}

async fn time(gpu: &Gpu, hands: &Loaded) -> Result<()> {
    hands.run(gpu);
    gpu.finish(true).await?;
    let start = Instant::now();
    for _ in 0..RUNS {
        hands.run(gpu);
    }
    gpu.finish(true).await?;
    let ms = start.elapsed().as_secs_f64() * 1e3 / f64::from(RUNS);
    println!("{ms:.3} ms a run of {RUNS}, {} dispatches", hands.plan.n_dispatches());
    if !gpu.caps.timestamps {
        return Ok(());
    }
    let mut profile = gpu.profile(&[&hands.plan], 1, || {}).await?;
    println!("{:.1} us on the GPU, of which", profile.step_us);
    profile.kernels.sort_by(|a, b| b.us.total_cmp(&a.us));
    for kernel in profile.kernels.iter().take(SLOWEST) {
        println!("{:7.1} {}", kernel.us, kernel.name);
    }
    Ok(())
}
