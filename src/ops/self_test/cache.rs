//! Attention of decode over a cache, tried.

use super::{dot, relative_error};
use crate::error::Result;
use crate::gpu::{Gpu, Plan, State};
use crate::ops::{Attention, AttentionParts, KvCache, KvType, Phase, Recorder, StepBuffers, Tensor};

const N_HEAD: u32 = 8;
const N_HEAD_KV: u32 = 4;
const HEAD_DIM: u32 = 64;
const WIDTH: u32 = (N_HEAD + 2 * N_HEAD_KV) * HEAD_DIM;
const SCALE: f32 = 0.125;
/// Of the cache, as a model has it.
const CAPACITY: u32 = 2048;
/// Steps whose result is looked at.
const STEPS: u32 = 3;
/// The position of the step that is timed.
const TIMED_POS: u32 = 200;

pub struct CacheTrial {
    cache: KvCache,
    qkv: Tensor,
    y: Tensor,
    parts: AttentionParts,
    step: StepBuffers,
}

impl CacheTrial {
    /// At the position that is timed.
    pub fn new(gpu: &Gpu, ty: KvType) -> Result<Self> {
        let trial = CacheTrial {
            cache: KvCache::new(gpu, ty, N_HEAD_KV, CAPACITY, HEAD_DIM)?,
            qkv: Tensor::new(gpu, "self_test", 1, WIDTH)?,
            y: Tensor::new(gpu, "self_test", 1, N_HEAD * HEAD_DIM)?,
            parts: AttentionParts::new(gpu, N_HEAD, HEAD_DIM)?,
            step: StepBuffers::new(gpu, 1)?,
        };
        trial.go_to(gpu, TIMED_POS);
        Ok(trial)
    }

    fn go_to(&self, gpu: &Gpu, pos: u32) {
        gpu.write(&self.step.state, 0, &[State { pos, n_tokens: 1, ..State::default() }]);
    }

    /// The step, `times` over.
    pub fn plan(&self, gpu: &Gpu, times: usize) -> Result<Plan> {
        let attention = Attention {
            n_head: N_HEAD,
            n_head_kv: N_HEAD_KV,
            head_dim: HEAD_DIM,
            scale: SCALE,
            window: u32::MAX,
            rope: None,
            softcap: None,
            qk_norm: None,
            cache: &self.cache,
        };
        let mut recorder = Recorder::new(gpu, &self.step, Phase::Decode { far: false }, 1);
        for _ in 0..times {
            recorder.attention(&attention, &self.qkv, &self.y, &self.parts)?;
        }
        Ok(recorder.plan)
    }

    /// Relative L2 error of the last of a few steps, each of which leaves its key and value to the next. All of them are
    /// exact in f16, so that only what is lost on the way counts.
    pub async fn error(&self, gpu: &Gpu) -> Result<f64> {
        let plan = self.plan(gpu, 1)?;
        gpu.compile().await?;
        let rows: Vec<f32> = (0..STEPS * WIDTH).map(|i| (i * 7919 % 257) as f32 / 64.0 - 2.0).collect();
        let rows: Vec<&[f32]> = rows.chunks_exact(WIDTH as usize).collect();
        for (pos, row) in (0..).zip(&rows) {
            gpu.write(&self.qkv.buffer, 0, row);
            self.go_to(gpu, pos);
            gpu.submit([&plan], 1, None);
        }
        let got: Vec<f32> = gpu.read(&self.y.buffer, (N_HEAD * HEAD_DIM) as usize).await?;
        self.go_to(gpu, TIMED_POS);

        let head = |row: usize, i: u32| &rows[row][(i * HEAD_DIM) as usize..][..HEAD_DIM as usize];
        let mut want = Vec::new();
        for h in 0..N_HEAD {
            let kv = h / (N_HEAD / N_HEAD_KV);
            let score = |row| dot(head(rows.len() - 1, h), head(row, N_HEAD + kv)) * f64::from(SCALE);
            let weights: Vec<f64> = (0..rows.len()).map(|row| score(row).exp()).collect();
            let total: f64 = weights.iter().sum();
            let value = |row, i| f64::from(head(row, N_HEAD + N_HEAD_KV + kv)[i]);
            want.extend(
                (0..HEAD_DIM as usize)
                    .map(|i| weights.iter().enumerate().map(|(row, w)| w / total * value(row, i)).sum::<f64>()),
            );
        }
        Ok(relative_error(&got, &want))
    }
}
