//! The table of rotary embedding, computed in f64: GPU sines are good near zero only, and the frequencies'
//! powers lose digits in f32.

use std::cell::RefCell;
use std::rc::Rc;

use super::config::{ModelConfig, RopeConfig, RopeScaling};
use super::weights::Builder;
use crate::error::{Result, bail};
use crate::formats::gguf::GgmlType;
use crate::gpu::Gpu;
use crate::load::{Destination, Load};
use crate::ops::Rope;

/// Divisors of the rotary frequencies, one a pair (Llama 3.1).
const ROPE_FREQS: &str = "rope_freqs.weight";
/// The same for contexts beyond the original one, and up to it (LongRoPE, arXiv:2402.13753).
const ROPE_FACTORS: [&str; 2] = ["rope_factors_long.weight", "rope_factors_short.weight"];
/// Rows of a table that are written at a time: a table may be megabytes.
const ROWS: u32 = 256;

/// A tensor of divisors, which comes to the host.
pub struct FactorTensor {
    name: String,
    bytes: Rc<RefCell<Vec<u8>>>,
}

/// The divisors of rotary frequencies, if the file has them.
///
/// # Errors
/// `MalformedGguf` if the tensor is not F32 or of the wrong shape.
pub fn factor_tensor(b: &mut Builder<'_>) -> Result<Option<FactorTensor>> {
    b.use_elsewhere(&[ROPE_FREQS, ROPE_FACTORS[0], ROPE_FACTORS[1]]);
    let Some(rope) = b.c.ropes.first() else { return Ok(None) };
    let factors = ROPE_FACTORS[usize::from(b.sizes.n_ctx <= b.c.n_ctx_orig)];
    let Some(t) = [ROPE_FREQS, factors].iter().find_map(|name| b.gguf.tensor(name)) else { return Ok(None) };
    if t.shape != [u64::from(rope.n_rot / 2)] || t.ty != GgmlType::F32 {
        bail!(MalformedGguf, "tensor '{}' is {} {:?}, F32 [{}] is needed", t.name, t.ty, t.shape, rope.n_rot / 2);
    }
    let bytes = Rc::default();
    b.loads.push(Load { tensor: t.clone(), destination: Destination::Host(Rc::clone(&bytes)) });
    Ok(Some(FactorTensor { name: t.name.clone(), bytes }))
}

impl FactorTensor {
    /// # Errors
    /// `MalformedGguf` if one can't divide.
    fn values(&self) -> Result<Vec<f32>> {
        let values: Vec<f32> =
            self.bytes.borrow().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        match values.iter().find(|f| !f.is_normal()) {
            Some(wrong) => bail!(MalformedGguf, "tensor '{}' divides frequencies by {wrong}", self.name),
            None => Ok(values),
        }
    }
}

/// Fill the tables, of `n_ctx` positions.
///
/// # Errors
/// `MalformedGguf` if a divisor is 0, infinite or no number.
pub fn write_tables(
    gpu: &Gpu,
    c: &ModelConfig,
    ropes: &[Rope],
    factors: Option<&FactorTensor>,
    n_ctx: u32,
) -> Result<()> {
    let factors = factors.map(FactorTensor::values).transpose()?;
    for (config, rope) in c.ropes.iter().zip(ropes) {
        let (frequencies, magnitude) = frequencies(config, factors.as_deref());
        for pos0 in (0..n_ctx).step_by(ROWS as usize) {
            let rows: Vec<f32> =
                (pos0..n_ctx.min(pos0 + ROWS)).flat_map(|pos| row(pos, &frequencies, magnitude)).collect();
            gpu.write(&rope.table, u64::from(pos0) * u64::from(rope.n_rot) * 4, &rows);
        }
    }
    Ok(())
}

/// Frequency and magnitude of each rotating pair.
///
/// `factors` are divisors, one a pair, where the file has them.
fn frequencies(rope: &RopeConfig, factors: Option<&[f32]>) -> (Vec<f64>, f64) {
    let n_rot = f64::from(rope.n_rot);
    let base = f64::from(rope.freq_base);
    let plain = |i: u32| {
        let f = base.powf(-2.0 * f64::from(i) / n_rot);
        factors.and_then(|list| list.get(i as usize)).map_or(f, |&d| f / f64::from(d))
    };
    let pairs = 0..rope.n_rot / 2;
    let magnitude = f64::from(rope.magnitude);
    match rope.scaling {
        RopeScaling::None => (pairs.map(plain).collect(), magnitude),
        RopeScaling::Linear { factor } => (pairs.map(|i| plain(i) / f64::from(factor)).collect(), magnitude),
        RopeScaling::Yarn { factor, n_ctx_orig, beta_fast, beta_slow } => {
            // The pair that turns `beta` times over the original context (YaRN, section 3.2).
            let pair_of = |beta: f32| {
                let wavelengths = f64::from(n_ctx_orig) / (f64::from(beta) * std::f64::consts::TAU);
                n_rot * wavelengths.ln() / (2.0 * base.ln())
            };
            let low = pair_of(beta_fast).floor().max(0.0);
            let high = pair_of(beta_slow).ceil().min(n_rot - 1.0);
            let factor = f64::from(factor);
            let list = pairs
                .map(|i| {
                    let ramp = 1.0 - ((f64::from(i) - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
                    plain(i) * (ramp + (1.0 - ramp) / factor)
                })
                .collect();
            (list, magnitude * (1.0 + 0.1 * factor.max(1.0).ln()))
        }
    }
}

/// Cosines and sines of a position, `(cos, sin)` of each pair.
fn row(pos: u32, frequencies: &[f64], magnitude: f64) -> impl Iterator<Item = f32> {
    frequencies.iter().flat_map(move |f| {
        let (sin, cos) = (f64::from(pos) * f).sin_cos();
        [(cos * magnitude) as f32, (sin * magnitude) as f32]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::RopeKind;

    fn config(scaling: RopeScaling) -> RopeConfig {
        RopeConfig { kind: RopeKind::Interleaved, n_rot: 8, freq_base: 10_000.0, scaling, magnitude: 1.0 }
    }

    #[test]
    fn frequencies_of_the_paper() {
        let (f, m) = frequencies(&config(RopeScaling::None), None);
        assert_eq!(m, 1.0);
        for (i, want) in [1.0, 0.1, 0.01, 0.001].iter().enumerate() {
            assert!((f[i] - want).abs() < 1e-12);
        }
        let (linear, _) = frequencies(&config(RopeScaling::Linear { factor: 4.0 }), None);
        assert!((linear[1] - 0.025).abs() < 1e-12);
        let (divided, _) = frequencies(&config(RopeScaling::None), Some(&[1.0, 2.0, 4.0, 8.0]));
        assert!((divided[2] - 0.0025).abs() < 1e-12);
    }

    #[test]
    fn yarn_keeps_fast_pairs_and_stretches_slow_ones() {
        let yarn = RopeScaling::Yarn { factor: 4.0, n_ctx_orig: 2048, beta_fast: 32.0, beta_slow: 1.0 };
        let (f, m) = frequencies(&config(yarn), None);
        assert!((f[0] - 1.0).abs() < 1e-12, "the fastest pair stays");
        assert!((f[3] - 0.001 / 4.0).abs() < 1e-12, "the slowest is divided by the factor");
        assert!((m - (1.0 + 0.1 * 4f64.ln())).abs() < 1e-12);
    }

    #[test]
    fn rows_are_cosine_and_sine() {
        let r: Vec<f32> = row(3, &[1.0], 1.0).collect();
        assert_eq!(r, [3f64.cos() as f32, 3f64.sin() as f32]);
    }
}
