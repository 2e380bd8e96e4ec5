//! GPU time of a step and of each of its kernels, by timestamp queries. For benchmarks.

use std::rc::Rc;

use super::{Buffer, Dispatch, Gpu, Plan, Usage};
use crate::error::{Result, bail};

/// What a step costs on the GPU.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The whole step, in microseconds: one of many in a pass.
    pub step_us: f64,
    /// Its kernels, by what they do, in the order of the step.
    pub kernels: Vec<KernelTime>,
}

/// What a kernel costs on the GPU.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct KernelTime {
    /// The name in their labels.
    pub name: String,
    /// Dispatches in a step.
    pub dispatches: usize,
    /// One of them, in microseconds. Those of all groups run one after the other, so that each finds its operands in
    /// memory, not in a cache.
    pub us: f64,
}

/// Times that a step is run to be timed: a single one is shorter than many a clock's tick.
pub const REPEATS: usize = 20;
/// Passes one after the other: a GPU that was idle is slow at first.
const PASSES: usize = 3;
/// Microseconds that a pass may take: systems end what keeps a GPU for seconds.
const LONGEST_US: f64 = 200_000.0;

impl Gpu {
    /// Time the plans for a batch of `n_rows`, which are run up to [`REPEATS`] times after each `reset`.
    ///
    /// # Errors
    /// `InvalidState` where the device has no timestamps.
    pub async fn profile(&self, plans: &[&Plan], n_rows: u32, reset: impl Fn()) -> Result<Profile> {
        if !self.caps.timestamps {
            bail!(InvalidState, "this GPU has no timestamp queries");
        }
        let dispatches: Vec<&Dispatch> = plans.iter().flat_map(|p| p.dispatches()).collect();
        let mut groups: Vec<(&str, Vec<&Dispatch>)> = Vec::new();
        for d in &dispatches {
            match groups.iter_mut().find(|(name, _)| *name == d.name) {
                Some((_, group)) => group.push(d),
                None => groups.push((&d.name, vec![d])),
            }
        }
        reset();
        let once = self.time(n_rows, dispatches.iter().copied()).await?;
        let times = (LONGEST_US / once).clamp(1.0, REPEATS as f64) as usize;
        let steady = async |group: &[&Dispatch]| {
            for _ in 1..PASSES {
                reset();
                self.submit_timed(n_rows, repeated(group, times))?;
            }
            reset();
            Ok(self.time(n_rows, repeated(group, times)).await? / times as f64)
        };
        let step_us = steady(&dispatches).await?;
        let mut kernels = Vec::new();
        for (name, group) in groups {
            let us = steady(&group).await? / group.len() as f64;
            kernels.push(KernelTime { name: name.to_owned(), dispatches: group.len(), us });
        }
        Ok(Profile { step_us, kernels })
    }

    /// Microseconds of a plan, all of it in one pass.
    ///
    /// # Errors
    /// As [`Gpu::read`].
    pub async fn time_plan(&self, plan: &Plan, n_rows: u32) -> Result<f64> {
        self.time(n_rows, plan.dispatches()).await
    }

    /// Microseconds of a pass of these dispatches.
    async fn time<'d>(&self, n_rows: u32, dispatches: impl Iterator<Item = &'d Dispatch>) -> Result<f64> {
        let resolved = self.submit_timed(n_rows, dispatches)?;
        let t: Vec<u64> = self.read(&resolved, 2).await?;
        Ok(t[1].saturating_sub(t[0]) as f64 * self.device.timestamp_ns() / 1e3)
    }

    /// Submit a pass of these dispatches; its begin and its end come into the buffer.
    fn submit_timed<'d>(&self, n_rows: u32, dispatches: impl Iterator<Item = &'d Dispatch>) -> Result<Rc<Buffer>> {
        let queries = self.device.queries(2);
        let resolved = self.buffer("profile", 16, Usage::Queries)?;
        let mut encoder = self.device.encoder();
        let mut pass = encoder.pass(Some(&queries));
        for d in dispatches {
            d.encode(self, &mut pass, n_rows, true);
        }
        pass.end();
        encoder.resolve(&queries, 2, resolved.raw(self));
        self.device.submit([encoder.finish()]);
        Ok(resolved)
    }
}

fn repeated<'d>(group: &'d [&Dispatch], times: usize) -> impl Iterator<Item = &'d Dispatch> {
    std::iter::repeat_n(group, times).flatten().copied()
}
