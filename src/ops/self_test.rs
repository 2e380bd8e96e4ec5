//! What a device computes, checked before it is trusted: a feature that is reported is not a feature that is right.

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

/// Check a device, and go without subgroups where it gets them wrong.
///
/// # Errors
/// `NoWebgpu` where it computes wrong results without them, too; as [`Recorder::matmul`].
pub async fn self_test(mut gpu: Gpu) -> Result<(Gpu, Vec<Feature>)> {
    let offered = gpu.caps.subgroup_min;
    let subgroups = |used, reason| Feature { name: "subgroups", used, reason };
    let mut features = Vec::new();
    if offered == 0 {
        features.push(subgroups(false, "the device has none, or the profile forgoes them".to_owned()));
    } else {
        let error = matmul_error(&gpu).await?;
        let used = error <= TOLERANCE;
        features.push(subgroups(used, format!("sums over subgroups of {offered} were off by {error:.1e}, relative")));
        if used {
            return Ok((gpu, features));
        }
        gpu = gpu.without_subgroups();
    }
    let error = matmul_error(&gpu).await?;
    if error > TOLERANCE {
        bail!(NoWebgpu, "the GPU '{}' computes wrong results: off by {error:.1e}, relative", gpu.caps.adapter);
    }
    Ok((gpu, features))
}

/// Relative L2 error of `w . rms_norm(x)`: the sums of a row and of a workgroup.
async fn matmul_error(gpu: &Gpu) -> Result<f64> {
    let value = |i: u32| ((i * 7919 % 257) as f32 - 128.0) / 128.0;
    let w: Vec<f32> = (0..ROWS * COLS).map(value).collect();
    let x: Vec<f32> = (0..COLS).map(|i| value(i + 5)).collect();

    let matrix = Matrix::new(gpu, "self_test", &[(GgmlType::F32, ROWS)], COLS)?;
    gpu.write(&matrix.parts[0].qs, 0, &w);
    let input = Tensor::new(gpu, "self_test", 1, COLS)?;
    gpu.write(&input.buffer, 0, &x);
    let weight = Vector { buffer: gpu.buffer_with("self_test", &vec![1f32; COLS as usize])?, len: COLS };
    let y = Tensor::new(gpu, "self_test", 1, ROWS)?;
    let step = StepBuffers::new(gpu, 1)?;
    let mut recorder = Recorder::new(gpu, &step, Phase::Decode { far: false }, 1);
    let input = Input::RmsNorm { x: &input, weight: &weight, eps: 0.0 };
    recorder.matmul("self_test", input, &matrix, Output::Store { y: &y, bias: None })?;
    gpu.compile().await?;
    gpu.submit(&[&recorder.plan], 1, None);
    let got: Vec<f32> = gpu.read(&y.buffer, ROWS as usize).await?;

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
