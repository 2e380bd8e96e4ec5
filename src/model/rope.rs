//! The table of rotary embedding, computed in f64: GPU sines are good near zero only, and the frequencies'
//! powers lose digits in f32.

use super::config::{RopeConfig, RopeScaling};

/// Frequency and magnitude of each rotating pair.
///
/// `factors` are divisors, one a pair, where the file has them.
pub fn frequencies(rope: &RopeConfig, factors: Option<&[f32]>) -> (Vec<f64>, f64) {
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
pub fn row(pos: u32, frequencies: &[f64], magnitude: f64) -> impl Iterator<Item = f32> {
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
