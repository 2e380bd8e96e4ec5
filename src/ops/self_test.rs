//! What a device computes, checked before it is trusted: a feature that is reported is not a feature that is right.
//! And one that is right is not always faster.

use serde::Serialize;

use super::{
    Attention, AttentionParts, Input, KvCache, KvType, Matrix, Output, Phase, Recorder, StepBuffers, Tensor, Vector,
};
use crate::error::{Result, bail};
use crate::gguf::GgmlType;
use crate::gpu::{Gpu, State};

/// A feature that kernels can make use of, and whether they do here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feature {
    pub name: &'static str,
    pub used: bool,
    pub reason: String,
}

/// Relative L2; what f32 sums are off by is a thousandth of it.
const TOLERANCE: f64 = 1e-4;
const ROWS: u32 = 24;
const COLS: u32 = 256;

/// Check a device, and go without the features that it gets wrong or gains nothing by.
///
/// # Errors
/// `NoWebgpu` where it computes wrong results without them, too; as [`Recorder::matmul`].
pub async fn self_test(gpu: Gpu) -> Result<(Gpu, Vec<Feature>)> {
    let (gpu, subgroups) = check_subgroups(gpu).await?;
    let (gpu, f16) = check_f16(gpu).await?;
    let (gpu, int8_products) = check_int8_products(gpu).await?;
    Ok((gpu, vec![subgroups, f16, int8_products]))
}

async fn check_subgroups(mut gpu: Gpu) -> Result<(Gpu, Feature)> {
    let offered = gpu.caps.subgroup_min;
    let feature = |used, reason| Feature { name: "subgroups", used, reason };
    let mut reason = "the device has none, or the profile forgoes them".to_owned();
    if offered > 0 {
        let error = matmul_error(&gpu, GgmlType::F32).await?;
        reason = format!("sums over subgroups of {offered} were off by {error:.1e}, relative");
        if error <= TOLERANCE {
            return Ok((gpu, feature(true, reason)));
        }
        gpu = gpu.without_subgroups();
    }
    let error = matmul_error(&gpu, GgmlType::F32).await?;
    if error > TOLERANCE {
        bail!(NoWebgpu, "the GPU '{}' computes wrong results: off by {error:.1e}, relative", gpu.caps.adapter);
    }
    Ok((gpu, feature(false, reason)))
}

async fn check_f16(gpu: Gpu) -> Result<(Gpu, Feature)> {
    let (used, reason) = if !gpu.caps.f16 {
        (false, "the device is not made for f16".to_owned())
    } else {
        let error = f16_cache_error(&gpu).await?;
        (error <= TOLERANCE, format!("attention over a cache in f16 was off by {error:.1e}, relative"))
    };
    let gpu = if used { gpu } else { gpu.without_f16() };
    Ok((gpu, Feature { name: "f16 cache", used, reason }))
}

async fn check_int8_products(mut gpu: Gpu) -> Result<(Gpu, Feature)> {
    let offered = gpu.caps.int8_products;
    let (used, reason) = if !offered {
        (false, "the browser has none".to_owned())
    } else if gpu.caps.software {
        (false, "a CPU plays GPU".to_owned())
    } else if !gpu.caps.timestamps {
        (false, "no timestamps to tell whether they are faster".to_owned())
    } else {
        let error = matmul_error(&gpu, GgmlType::Q4_0).await?;
        if error > TOLERANCE {
            (false, format!("products of integers were off by {error:.1e}, relative"))
        } else {
            let integers = matmul_us(&gpu).await?;
            gpu.caps.int8_products = false;
            let floats = matmul_us(&gpu).await?;
            gpu.caps.int8_products = true;
            (integers < floats, format!("a matmul took {integers:.1} us with them and {floats:.1} us without"))
        }
    };
    let gpu = if used { gpu } else { gpu.without_int8_products() };
    Ok((gpu, Feature { name: "int8 products", used, reason }))
}

/// `w . rms_norm(x)`, the product that is tried.
struct Trial {
    w: Matrix,
    x: Tensor,
    norm: Vector,
    y: Tensor,
    step: StepBuffers,
}

impl Trial {
    fn new(gpu: &Gpu, ty: GgmlType, rows: u32, cols: u32) -> Result<Self> {
        Ok(Trial {
            w: Matrix::new(gpu, "self_test", &[(ty, rows)], cols)?,
            x: Tensor::new(gpu, "self_test", 1, cols)?,
            norm: Vector { buffer: gpu.buffer_with("self_test", &vec![1f32; cols as usize])?, len: cols },
            y: Tensor::new(gpu, "self_test", 1, rows)?,
            step: StepBuffers::new(gpu, 1)?,
        })
    }

    /// The product, `times` over.
    fn record<'g>(&'g self, gpu: &'g Gpu, times: usize) -> Result<Recorder<'g>> {
        let mut recorder = Recorder::new(gpu, &self.step, Phase::Decode { far: false }, 1);
        for _ in 0..times {
            let input = Input::RmsNorm { x: &self.x, weight: &self.norm, eps: 0.0 };
            recorder.matmul("self_test", input, &self.w, Output::Store { y: &self.y, bias: None })?;
        }
        Ok(recorder)
    }
}

/// Relative L2 error of the product with weights of -8 to 7, stored as `F32` or `Q4_0`: the sums of a row and of a workgroup.
async fn matmul_error(gpu: &Gpu, ty: GgmlType) -> Result<f64> {
    let code = |i: u32| i * 7919 % 257 % 16;
    let w: Vec<f32> = (0..ROWS * COLS).map(|i| code(i) as f32 - 8.0).collect();
    let x: Vec<f32> = (0..COLS).map(|i| (((i + 5) * 7919 % 257) as f32 - 128.0) / 128.0).collect();
    let trial = Trial::new(gpu, ty, ROWS, COLS)?;
    let part = &trial.w.parts[0];
    match &part.sc {
        None => gpu.write(&part.qs, 0, &w),
        Some(sc) => {
            // A word holds eight codes: the low nibbles of its bytes, then the high ones. Scales are f16, all 1.
            let word = |at: u32| (0..4).map(|i| (code(at + i) | code(at + 4 + i) << 4) << (8 * i)).sum::<u32>();
            gpu.write(&part.qs, 0, &(0..ROWS * COLS).step_by(8).map(word).collect::<Vec<_>>());
            gpu.write(sc, 0, &vec![0x3c00_3c00_u32; (ROWS * COLS / 64) as usize]);
        }
    }
    gpu.write(&trial.x.buffer, 0, &x);
    let recorder = trial.record(gpu, 1)?;
    gpu.compile().await?;
    gpu.submit(&[&recorder.plan], 1, None);
    let got: Vec<f32> = gpu.read(&trial.y.buffer, ROWS as usize).await?;

    let rms = (dot(&x, &x) / f64::from(COLS)).sqrt();
    let want: Vec<f64> = w.chunks_exact(COLS as usize).map(|row| dot(row, &x) / rms).collect();
    Ok(relative_error(&got, &want))
}

/// Relative L2 error of attention in the last of a few steps of decode, over a cache as large as a model's. All values are
/// exact in f16, so that only what is lost on the way counts.
async fn f16_cache_error(gpu: &Gpu) -> Result<f64> {
    const N_HEAD: u32 = 4;
    const N_HEAD_KV: u32 = 2;
    const HEAD_DIM: u32 = 64;
    const CAPACITY: u32 = 2048;
    const STEPS: u32 = 3;
    const WIDTH: u32 = (N_HEAD + 2 * N_HEAD_KV) * HEAD_DIM;
    let cache = KvCache::new(gpu, KvType::F16, N_HEAD_KV, CAPACITY, HEAD_DIM)?;
    let attention = Attention {
        n_head: N_HEAD,
        n_head_kv: N_HEAD_KV,
        head_dim: HEAD_DIM,
        scale: 0.125,
        window: u32::MAX,
        rope: None,
        softcap: None,
        qk_norm: None,
        cache: &cache,
    };
    let qkv = Tensor::new(gpu, "self_test", 1, WIDTH)?;
    let y = Tensor::new(gpu, "self_test", 1, N_HEAD * HEAD_DIM)?;
    let parts = AttentionParts::new(gpu, N_HEAD, HEAD_DIM)?;
    let step = StepBuffers::new(gpu, 1)?;
    let mut recorder = Recorder::new(gpu, &step, Phase::Decode { far: false }, 1);
    recorder.attention(&attention, &qkv, &y, &parts)?;
    gpu.compile().await?;
    let rows: Vec<f32> = (0..STEPS * WIDTH).map(|i| (i * 7919 % 257) as f32 / 64.0 - 2.0).collect();
    let rows: Vec<&[f32]> = rows.chunks_exact(WIDTH as usize).collect();
    for (pos, row) in (0..).zip(&rows) {
        gpu.write(&qkv.buffer, 0, row);
        gpu.write(&step.state, 0, &[State { pos, n_tokens: 1, ..State::default() }]);
        gpu.submit(&[&recorder.plan], 1, None);
    }
    let got: Vec<f32> = gpu.read(&y.buffer, (N_HEAD * HEAD_DIM) as usize).await?;

    let head = |row: &'_ [f32], i: u32| row[(i * HEAD_DIM) as usize..][..HEAD_DIM as usize].to_vec();
    let mut want = Vec::new();
    for h in 0..N_HEAD {
        let kv = h / (N_HEAD / N_HEAD_KV);
        let q = head(rows[STEPS as usize - 1], h);
        let weights: Vec<f64> = rows.iter().map(|row| (dot(&q, &head(row, N_HEAD + kv)) * 0.125).exp()).collect();
        let total: f64 = weights.iter().sum();
        let values: Vec<Vec<f32>> = rows.iter().map(|row| head(row, N_HEAD + N_HEAD_KV + kv)).collect();
        want.extend(
            (0..HEAD_DIM as usize)
                .map(|i| weights.iter().zip(&values).map(|(w, v)| w / total * f64::from(v[i])).sum::<f64>()),
        );
    }
    Ok(relative_error(&got, &want))
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// Relative L2. A NaN is no small error.
fn relative_error(got: &[f32], want: &[f64]) -> f64 {
    let error: f64 = got.iter().zip(want).map(|(&got, want)| (f64::from(got) - want).powi(2)).sum();
    let error = (error / want.iter().map(|v| v * v).sum::<f64>()).sqrt();
    if error.is_nan() { f64::INFINITY } else { error }
}

/// Microseconds of a product as large as those of a model with a billion parameters.
async fn matmul_us(gpu: &Gpu) -> Result<f64> {
    /// Clocks of GPUs are told in steps of up to 100 us, and a GPU that was idle is slow at first.
    const LONG_US: f64 = 1500.0;
    const MOST: usize = 256;
    let trial = Trial::new(gpu, GgmlType::Q4_0, 16384, 2048)?;
    let mut times = 1;
    loop {
        let recorder = trial.record(gpu, times)?;
        gpu.compile().await?;
        let us = gpu.time_plan(&recorder.plan, 1).await?;
        if us >= LONG_US || times >= MOST {
            return Ok(us / times as f64);
        }
        times *= 4;
    }
}
