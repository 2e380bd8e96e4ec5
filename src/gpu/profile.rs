//! GPU time of a step and of each of its kernels, by timestamp queries. For benchmarks.

use super::{Dispatch, Gpu, Plan, Usage};
use crate::error::{Result, bail};

/// What a step costs on the GPU.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The whole step, all dispatches in one pass, in microseconds.
    pub step_us: f64,
    /// Each dispatch by its label, in order: repeated behind itself, divided by the repeats.
    pub kernels: Vec<(String, f64)>,
}

/// Times that a kernel is run to be timed: a single one is shorter than many a clock's tick.
const REPEATS: usize = 20;

impl Gpu {
    /// Time the plans for a batch of `n_tokens`. Runs them, so the caller restores what they change.
    ///
    /// # Errors
    /// `InvalidState` where the device has no timestamps.
    pub async fn profile(&self, plans: &[&Plan], n_tokens: u32) -> Result<Profile> {
        if !self.caps.timestamps {
            bail!(InvalidState, "this GPU has no timestamp queries");
        }
        let dispatches: Vec<&Dispatch> = plans.iter().flat_map(|p| p.dispatches()).collect();
        let mut profile = Profile::default();
        // A few times, to have clocks up; the last counts.
        for _ in 0..5 {
            profile.step_us = self.time(n_tokens, dispatches.iter().copied()).await?;
        }
        for d in &dispatches {
            let us = self.time(n_tokens, std::iter::repeat_n(*d, REPEATS)).await? / REPEATS as f64;
            profile.kernels.push((d.label.clone(), us));
        }
        Ok(profile)
    }

    /// Microseconds of a plan, all of it in one pass.
    ///
    /// # Errors
    /// As [`Gpu::read`].
    pub async fn time_plan(&self, plan: &Plan, n_tokens: u32) -> Result<f64> {
        self.time(n_tokens, plan.dispatches()).await
    }

    /// Microseconds of a pass of these dispatches.
    async fn time<'d>(&self, n_tokens: u32, dispatches: impl Iterator<Item = &'d Dispatch>) -> Result<f64> {
        let queries = self.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("profile"),
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let resolved = self.buffer("profile", 16, Usage::Queries)?;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                    query_set: &queries,
                    beginning_of_pass_write_index: Some(0),
                    end_of_pass_write_index: Some(1),
                }),
            });
            for d in dispatches {
                d.encode(self, &mut pass, n_tokens, true);
            }
        }
        encoder.resolve_query_set(&queries, 0..2, &resolved.raw, 0);
        self.queue.submit([encoder.finish()]);
        let t: Vec<u64> = self.read(&resolved, 2).await?;
        Ok(t[1].saturating_sub(t[0]) as f64 * f64::from(self.queue.get_timestamp_period()) / 1e3)
    }
}
