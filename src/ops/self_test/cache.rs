//! Attention of decode over a cache, tried.

use super::relative_error;
use crate::error::Result;
use crate::gpu::{Gpu, Plan};
use crate::ops::attention::reference::attention;
use crate::ops::{Attention, AttentionParts, BatchBuffers, KvCache, KvType, Phase, Recorder, Tensor};

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
    batch: BatchBuffers,
}

impl CacheTrial {
    /// At the position that is timed.
    pub fn new(gpu: &Gpu, ty: KvType) -> Result<Self> {
        let trial = CacheTrial {
            cache: KvCache::new(gpu, ty, N_HEAD_KV, CAPACITY, HEAD_DIM)?,
            qkv: Tensor::new(gpu, "self_test", 1, WIDTH)?,
            y: Tensor::new(gpu, "self_test", 1, N_HEAD * HEAD_DIM)?,
            parts: AttentionParts::new(gpu, N_HEAD, HEAD_DIM)?,
            batch: BatchBuffers::new(gpu, 1)?,
        };
        trial.go_to(gpu, TIMED_POS);
        Ok(trial)
    }

    fn go_to(&self, gpu: &Gpu, pos: u32) {
        self.batch.set_place(gpu, pos, 1);
    }

    fn attention(&self) -> Attention<'_> {
        Attention {
            n_head: N_HEAD,
            n_head_kv: N_HEAD_KV,
            head_dim: HEAD_DIM,
            scale: SCALE,
            window: u32::MAX,
            rope: None,
            softcap: None,
            qk_norm: None,
            temperature: None,
            gated: false,
            cache: &self.cache,
        }
    }

    /// The step, `times` over.
    pub fn plan(&self, gpu: &Gpu, times: usize) -> Result<Plan> {
        let mut recorder = Recorder::new(gpu, &self.batch, Phase::Decode { far: false });
        for _ in 0..times {
            recorder.attention(&self.attention(), &self.qkv, &self.y, &self.parts)?;
        }
        Ok(recorder.plan)
    }

    /// Relative L2 error of the last of a few steps, each of which leaves its key and value to the next. All of them are
    /// exact in f16, so that only what is lost on the way counts.
    pub async fn error(&self, gpu: &Gpu) -> Result<f64> {
        let plan = self.plan(gpu, 1)?;
        gpu.compile(|_, _| {}).await?;
        let rows: Vec<f32> = (0..STEPS * WIDTH).map(|i| (i * 7919 % 257) as f32 / 64.0 - 2.0).collect();
        let rows: Vec<&[f32]> = rows.chunks_exact(WIDTH as usize).collect();
        for (pos, row) in (0..).zip(&rows) {
            gpu.write(&self.qkv.buffer, 0, row);
            self.go_to(gpu, pos);
            gpu.submit([&plan], 1, None);
        }
        let got: Vec<f32> = gpu.read(&self.y.buffer, (N_HEAD * HEAD_DIM) as usize).await?;
        self.go_to(gpu, TIMED_POS);

        let qkv: Vec<f64> = rows.concat().iter().map(|&v| v.into()).collect();
        let want = attention(&self.attention(), &qkv);
        Ok(relative_error(&got, &want[want.len() - got.len()..]))
    }
}
