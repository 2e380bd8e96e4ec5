//! What a device computes, checked before it is trusted: a feature that is reported is not a feature that is right.
//! And one that is right is not always faster.

use serde::Serialize;

use super::{Input, Matrix, Output, Phase, Recorder, StepBuffers, Tensor, Vector};
use crate::error::{Result, bail};
use crate::gguf::GgmlType;
use crate::gpu::Gpu;

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
    let (gpu, int8_products) = check_int8_products(gpu).await?;
    Ok((gpu, vec![subgroups, int8_products]))
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

    let x: Vec<f64> = x.iter().map(|&v| v.into()).collect();
    let rms = (x.iter().map(|v| v * v).sum::<f64>() / f64::from(COLS)).sqrt();
    let (mut error, mut norm) = (0.0, 0.0);
    for (row, &got) in w.chunks_exact(COLS as usize).zip(&got) {
        let want = row.iter().zip(&x).map(|(&w, x)| f64::from(w) * x).sum::<f64>() / rms;
        error += (f64::from(got) - want).powi(2);
        norm += want * want;
    }
    let error = (error / norm).sqrt();
    // A NaN is no small error.
    Ok(if error.is_nan() { f64::INFINITY } else { error })
}

/// Microseconds of a product as large as those of a model with a billion parameters.
async fn matmul_us(gpu: &Gpu) -> Result<f64> {
    /// Clocks of GPUs are told in steps of up to 100 us.
    const LONG_US: f64 = 1500.0;
    const MOST: usize = 128;
    let trial = Trial::new(gpu, GgmlType::Q4_0, 16384, 2048)?;
    let few = trial.record(gpu, 2)?;
    gpu.compile().await?;
    gpu.time_plan(&few.plan, 1).await?; // for its clocks to come up
    let us = gpu.time_plan(&few.plan, 1).await? / 2.0;
    let times = ((LONG_US / us.max(1.0)) as usize).clamp(2, MOST);
    let many = trial.record(gpu, times)?;
    Ok(gpu.time_plan(&many.plan, 1).await? / times as f64)
}
