//! A matmul of decode behind a norm, tried.

use super::relative_error;
use crate::error::Result;
use crate::formats::gguf::GgmlType;
use crate::gpu::{Gpu, Plan};
use crate::ops::matmul::reference::{matmul, rms_norm};
use crate::ops::{BatchBuffers, Input, Matrix, Output, Phase, Recorder, Tensor, Tuning, Vector};

/// `w (rows, cols) . rms_norm(x)`
pub struct ProductTrial {
    w: Matrix,
    x: Tensor,
    norm: Vector,
    y: Tensor,
    batch: BatchBuffers,
}

impl ProductTrial {
    /// One whose result is worth looking at.
    pub fn small(gpu: &Gpu, ty: GgmlType) -> Result<Self> {
        Self::new(gpu, ty, 24, 256)
    }

    /// One as large as those of a model with a billion parameters.
    pub fn large(gpu: &Gpu) -> Result<Self> {
        Self::new(gpu, GgmlType::Q4_0, 16384, 2048)
    }

    fn new(gpu: &Gpu, ty: GgmlType, rows: u32, cols: u32) -> Result<Self> {
        Ok(ProductTrial {
            w: Matrix::new(gpu, "self_test", &[(ty, rows)], cols)?,
            x: Tensor::new(gpu, "self_test", 1, cols)?,
            norm: Vector { buffer: gpu.buffer_with("self_test", &vec![1f32; cols as usize])?, len: cols },
            y: Tensor::new(gpu, "self_test", 1, rows)?,
            batch: BatchBuffers::new(gpu, 1)?,
        })
    }

    /// The product, `times` over, with integer products or without.
    pub fn plan(&self, gpu: &Gpu, int8_products: bool, times: usize) -> Result<Plan> {
        let tuning = Tuning { int8_products, ..Tuning::of(&gpu.caps) };
        let mut recorder = Recorder::new(gpu, &self.batch, Phase::Decode { far: false }).with_tuning(tuning);
        for _ in 0..times {
            let input = Input::RmsNorm { x: &self.x, weight: &self.norm, eps: 0.0 };
            recorder.matmul("self_test", input, &self.w, Output::Store { y: &self.y, bias: None })?;
        }
        Ok(recorder.plan)
    }

    /// Relative L2 error with weights of -8 to 7, stored as `F32` or `Q4_0`: of the sums of a row and of a workgroup.
    pub async fn error(&self, gpu: &Gpu) -> Result<f64> {
        let (rows, cols) = (self.w.rows, self.w.cols);
        let code = |i: u32| i * 7919 % 257 % 16;
        let w: Vec<f32> = (0..rows * cols).map(|i| code(i) as f32 - 8.0).collect();
        let x: Vec<f32> = (0..cols).map(|i| (((i + 5) * 7919 % 257) as f32 - 128.0) / 128.0).collect();
        let part = &self.w.parts[0];
        match &part.sc {
            None => gpu.write(&part.qs, 0, &w),
            Some(sc) => {
                // A word holds eight codes: the low nibbles of its bytes, then the high ones. Scales are f16, all 1.
                let word = |at: u32| (0..4).map(|i| (code(at + i) | code(at + 4 + i) << 4) << (8 * i)).sum::<u32>();
                gpu.write(&part.qs, 0, &(0..rows * cols).step_by(8).map(word).collect::<Vec<_>>());
                gpu.write(sc, 0, &vec![0x3c00_3c00_u32; (rows * cols / 64) as usize]);
            }
        }
        gpu.write(&self.x.buffer, 0, &x);
        let plan = self.plan(gpu, true, 1)?;
        gpu.compile(|_, _| {}).await?;
        gpu.submit([&plan], 1, None);
        let got: Vec<f32> = gpu.read(&self.y.buffer, rows as usize).await?;
        let want = matmul(&rms_norm(&x, &vec![1.0; x.len()], 0.0), &w, x.len());
        Ok(relative_error(&got, &want))
    }
}
