//! Sampling in f64: what this op's kernels compute.

use super::SamplerState;

/// The ids that the filters keep, best first, and the id drawn: by sorting everything.
pub fn sample(logits: &[f32], s: &SamplerState) -> (Vec<u32>, u32) {
    let mut order: Vec<u32> = (0..logits.len() as u32).collect();
    order.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]).then(a.cmp(&b)));
    if s.top_k > 0 {
        order.truncate(s.top_k as usize);
    }
    let top = f64::from(logits[order[0] as usize]);
    let p = |id: u32| (f64::from(logits[id as usize]) - top).exp();
    let total: f64 = order.iter().map(|&id| p(id)).sum();
    let mut before = 0.0;
    let mut kept = Vec::new();
    for &id in &order {
        let enough = s.top_p < 1.0 && before >= f64::from(s.top_p) * total;
        if !kept.is_empty() && (enough || p(id) < f64::from(s.min_p)) {
            break;
        }
        kept.push(id);
        before += p(id);
    }
    let score = |id: u32| f64::from(logits[id as usize] / s.temperature) + gumbel(s.seed, s.n_sampled, id);
    let drawn = *kept.iter().max_by(|&&a, &&b| score(a).total_cmp(&score(b))).unwrap();
    (kept, drawn)
}

/// Noise of the Gumbel-max trick (arXiv:1411.0030).
fn gumbel(seed: u32, draw: u32, id: u32) -> f64 {
    let v = (f64::from(hash3(seed, draw, id) >> 9) + 0.5) / f64::from(1 << 23);
    -(-(-v).ln_1p()).ln()
}

/// PCG3D, as in `shaders/sample/sampling.wgsl`.
fn hash3(a: u32, b: u32, c: u32) -> u32 {
    let lcg = |v: u32| v.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let (mut x, mut y, mut z) = (lcg(a), lcg(b), lcg(c));
    let mix = |x: &mut u32, y: &mut u32, z: &mut u32| {
        *x = x.wrapping_add(y.wrapping_mul(*z));
        *y = y.wrapping_add(z.wrapping_mul(*x));
        *z = z.wrapping_add(x.wrapping_mul(*y));
    };
    mix(&mut x, &mut y, &mut z);
    (x, y, z) = (x ^ x >> 16, y ^ y >> 16, z ^ z >> 16);
    mix(&mut x, &mut y, &mut z);
    x
}

/// `x[0] = x[T - 1]`, `x (T, width)`.
pub fn last_row(x: &[f32], width: usize) -> Vec<f32> {
    [&x[x.len() - width..], &x[width..]].concat()
}
