//! A gated short convolution in f64: what this op's kernel computes.

/// `c * conv(b * x)` of `bcx (T, 3 C)`, all positions of a sequence: `(T, C)`; `taps (C, kernel)`.
pub fn short_conv(bcx: &[f32], taps: &[f32], kernel: usize, c: usize) -> Vec<f64> {
    let at = |t: usize, part: usize, i: usize| f64::from(bcx[(t * 3 + part) * c + i]);
    let mut y = Vec::new();
    for t in 0..bcx.len() / (3 * c) {
        for i in 0..c {
            let sum: f64 = (0..kernel.min(t + 1))
                .map(|back| f64::from(taps[i * kernel + kernel - 1 - back]) * at(t - back, 0, i) * at(t - back, 2, i))
                .sum();
            y.push(at(t, 1, i) * sum);
        }
    }
    y
}
