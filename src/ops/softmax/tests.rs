//! Attention against f64.

use crate::ops::testing::{Rng, assert_close, blank_series, divided, name, run_series, series};

fn reference(qkv: &[f32], t: usize, heads: usize) -> Vec<f64> {
    let at = |row: usize, part: usize, head: usize, d: usize| -> f64 {
        qkv[(row * 3 + part) * heads * 64 + head * 64 + d].into()
    };
    let mut y = Vec::with_capacity(t * heads * 64);
    for (row, head) in (0..t).flat_map(|row| (0..heads).map(move |head| (row, head))) {
        let scores: Vec<f64> =
            (0..t).map(|k| (0..64).map(|d| at(row, 0, head, d) * at(k, 1, head, d)).sum::<f64>() / 8.0).collect();
        let top = scores.iter().copied().fold(f64::MIN, f64::max);
        let p: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
        let sum: f64 = p.iter().sum();
        y.extend((0..64).map(|d| p.iter().enumerate().map(|(k, p)| p * at(k, 2, head, d)).sum::<f64>() / sum));
    }
    y
}

#[test]
fn attention_of_all_rows() {
    let mut rng = Rng(81);
    for gpu in &divided() {
        for (t, heads, scale) in [(1, 1, 1.0), (4, 3, 1.0), (5, 2, 20.0), (63, 1, 1.0), (65, 2, 3.0), (512, 1, 1.0)] {
            let qkv = rng.vec(t * 3 * heads * 64, scale);
            let (x, y) = (series(gpu, t, 3 * heads * 64, &qkv), blank_series(gpu, t, heads * 64));
            let got = run_series(gpu, &y, |r| r.attend("test", &x, heads as u32, &y).unwrap());
            assert_close(&got, &reference(&qkv, t, heads), 2e-5, &format!("T={t} heads={heads} {}", name(gpu)));
        }
    }
}

#[test]
fn too_many_rows_are_refused() {
    let gpu = &divided()[0];
    let (x, y) = (blank_series(gpu, 513, 192), blank_series(gpu, 513, 64));
    let batch = crate::ops::testing::batch(gpu, 0, 1);
    let mut r = crate::ops::Recorder::new(gpu, &batch, crate::ops::testing::phase(1));
    let error = r.attend("attn", &x, 1, &y).unwrap_err().to_string();
    assert!(error.contains("up to 512 rows are allowed"), "{error}");
}
