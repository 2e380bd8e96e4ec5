//! What a device computes, checked before it is trusted: a feature that is reported is not a feature that is right. And
//! one that is right is not always faster.

mod cache;
mod product;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use serde::Serialize;

use self::cache::CacheTrial;
use self::product::ProductTrial;
use super::KvType;
use crate::error::{Result, bail};
use crate::formats::gguf::GgmlType;
use crate::gpu::{Caps, Gpu, Plan};

/// A feature that kernels can make use of, and whether they do here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feature {
    pub name: &'static str,
    pub used: bool,
    pub reason: String,
}

/// Relative L2; what f32 sums are off by is a thousandth of it.
const TOLERANCE: f64 = 1e-4;
/// What a cache in f16 may cost, for half the memory.
const F16_COST: f64 = 1.1;

/// What a device offers. Two that offer the same are taken for one.
#[derive(PartialEq)]
struct Offer {
    adapter: String,
    subgroup_min: u32,
    features: [bool; 4],
}

impl Offer {
    fn of(caps: &Caps) -> Self {
        let features = [caps.f16, caps.int8_products, caps.timestamps, caps.software];
        Offer { adapter: caps.adapter.clone(), subgroup_min: caps.subgroup_min, features }
    }
}

thread_local! {
    /// What was found before. A page that loads its second model, or gets its GPU back, does not try again.
    static FOUND: RefCell<Vec<(Offer, Vec<Feature>)>> = const { RefCell::new(Vec::new()) };
}

/// Check a device, and go without the features that it gets wrong or gains nothing by.
///
/// # Errors
/// `NoWebgpu` where it computes wrong results without them, too; as [`super::Recorder::matmul`].
pub async fn self_test(mut gpu: Gpu) -> Result<(Gpu, Vec<Feature>)> {
    let offer = Offer::of(&gpu.caps);
    let found = |found: &Vec<(Offer, Vec<Feature>)>| found.iter().find(|f| f.0 == offer).map(|f| f.1.clone());
    if let Some(features) = FOUND.with_borrow(found) {
        if !features[0].used {
            gpu = gpu.without_subgroups();
        }
        (gpu.caps.f16, gpu.caps.int8_products) = (features[1].used, features[2].used);
        return Ok((gpu, features));
    }
    let (gpu, features) = test(gpu).await?;
    FOUND.with_borrow_mut(|found| found.push((offer, features.clone())));
    Ok((gpu, features))
}

async fn test(gpu: Gpu) -> Result<(Gpu, Vec<Feature>)> {
    compile_all(&gpu).await?;
    let (mut gpu, subgroups) = check_subgroups(gpu).await?;
    let f16 = check_f16(&mut gpu).await?;
    let int8_products = check_int8_products(&mut gpu).await?;
    Ok((gpu, vec![subgroups, f16, int8_products]))
}

/// Compile what the checks run side by side, rather than one check after the other.
async fn compile_all(gpu: &Gpu) -> Result<()> {
    ProductTrial::small(gpu, GgmlType::F32)?.plan(gpu, false, 1)?;
    if gpu.caps.f16 {
        CacheTrial::new(gpu, KvType::F16)?.plan(gpu, 1)?;
        if worth_timing(gpu) {
            CacheTrial::new(gpu, KvType::F32)?.plan(gpu, 1)?;
        }
    }
    if worth_timing(gpu) && gpu.caps.int8_products {
        ProductTrial::small(gpu, GgmlType::Q4_0)?.plan(gpu, true, 1)?;
        let large = ProductTrial::large(gpu)?;
        for int8_products in [false, true] {
            large.plan(gpu, int8_products, 1)?;
        }
    }
    gpu.compile(|_, _| {}).await
}

async fn check_subgroups(mut gpu: Gpu) -> Result<(Gpu, Feature)> {
    let offered = gpu.caps.subgroup_min;
    let feature = |used, reason| Feature { name: "subgroups", used, reason };
    let mut reason = "the device has none, or the profile forgoes them".to_owned();
    if offered > 0 {
        let error = ProductTrial::small(&gpu, GgmlType::F32)?.error(&gpu).await?;
        reason = format!("sums over subgroups of {offered} were off by {error:.1e}, relative");
        if error <= TOLERANCE {
            return Ok((gpu, feature(true, reason)));
        }
        gpu = gpu.without_subgroups();
    }
    let error = ProductTrial::small(&gpu, GgmlType::F32)?.error(&gpu).await?;
    if error > TOLERANCE {
        bail!(NoWebgpu, "the GPU '{}' computes wrong results: off by {error:.1e}, relative", gpu.caps.adapter);
    }
    Ok((gpu, feature(false, reason)))
}

async fn check_f16(gpu: &mut Gpu) -> Result<Feature> {
    let (used, reason) = if !gpu.caps.f16 {
        (false, "the device is not made for f16".to_owned())
    } else {
        let trial = CacheTrial::new(gpu, KvType::F16)?;
        let error = trial.error(gpu).await?;
        if error > TOLERANCE {
            (false, format!("attention over a cache in f16 was off by {error:.1e}, relative"))
        } else if !worth_timing(gpu) {
            (true, "no timestamps to tell what it costs".to_owned())
        } else {
            let f16 = microseconds(gpu, |times| trial.plan(gpu, times)).await?;
            let trial = CacheTrial::new(gpu, KvType::F32)?;
            let f32 = microseconds(gpu, |times| trial.plan(gpu, times)).await?;
            (f16 <= f32 * F16_COST, format!("attention took {f16:.1} us with it and {f32:.1} us with f32"))
        }
    };
    gpu.caps.f16 = used;
    Ok(Feature { name: "f16 cache", used, reason })
}

async fn check_int8_products(gpu: &mut Gpu) -> Result<Feature> {
    let (used, reason) = if !gpu.caps.int8_products {
        (false, "the browser has none".to_owned())
    } else if gpu.caps.software {
        (false, "a CPU plays GPU".to_owned())
    } else if !gpu.caps.timestamps {
        (false, "no timestamps to tell whether they are faster".to_owned())
    } else {
        let error = ProductTrial::small(gpu, GgmlType::Q4_0)?.error(gpu).await?;
        if error > TOLERANCE {
            (false, format!("products of integers were off by {error:.1e}, relative"))
        } else {
            let trial = ProductTrial::large(gpu)?;
            let integers = microseconds(gpu, |times| trial.plan(gpu, true, times)).await?;
            let floats = microseconds(gpu, |times| trial.plan(gpu, false, times)).await?;
            (integers < floats, format!("a matmul took {integers:.1} us with them and {floats:.1} us without"))
        }
    };
    gpu.caps.int8_products = used;
    Ok(Feature { name: "int8 products", used, reason })
}

fn worth_timing(gpu: &Gpu) -> bool {
    gpu.caps.timestamps && !gpu.caps.software
}

/// Microseconds of one of the dispatches of a plan that has so many.
async fn microseconds(gpu: &Gpu, plan: impl Fn(usize) -> Result<Plan>) -> Result<f64> {
    /// Clocks of GPUs are told in steps of up to 100 us, and a GPU that was idle is slow at first.
    const LONG_US: f64 = 1500.0;
    const MOST: usize = 256;
    // Some drivers compile when a kernel first runs.
    gpu.time_plan(&plan(1)?, 1).await?;
    let mut times = 1;
    loop {
        let us = gpu.time_plan(&plan(times)?, 1).await?;
        if us >= LONG_US || times >= MOST {
            return Ok(us / times as f64);
        }
        times *= 4;
    }
}

/// Relative L2. A NaN is no small error.
fn relative_error(got: &[f32], want: &[f64]) -> f64 {
    let error: f64 = got.iter().zip(want).map(|(&got, want)| (f64::from(got) - want).powi(2)).sum();
    let error = (error / want.iter().map(|v| v * v).sum::<f64>()).sqrt();
    if error.is_nan() { f64::INFINITY } else { error }
}
