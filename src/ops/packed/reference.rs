//! Packed texts in f64: what these ops' kernels compute.

/// `y (T, n_head head_dim)` of one text, `qkv (T, (n_head + 2 n_head_kv) head_dim)`: `softmax(q k^T / sqrt(head_dim)) v`.
pub fn attend(qkv: &[f32], [n_head, n_head_kv, head_dim]: [usize; 3]) -> Vec<f64> {
    let row = (n_head + 2 * n_head_kv) * head_dim;
    let n = qkv.len() / row;
    let head = |t: usize, i: usize| qkv[t * row + i * head_dim..][..head_dim].iter().map(|&v| f64::from(v));
    let mut y = Vec::new();
    for t in 0..n {
        for h in 0..n_head {
            let k = n_head + h / (n_head / n_head_kv);
            let scores = (0..n).map(|p| head(t, h).zip(head(p, k)).map(|(q, k)| q * k).sum::<f64>());
            let scores: Vec<f64> = scores.map(|s| s / (head_dim as f64).sqrt()).collect();
            let highest = scores.iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - highest).exp()).collect();
            let total: f64 = weights.iter().sum();
            let mut sum = vec![0.0; head_dim];
            for (p, w) in weights.iter().enumerate() {
                sum.iter_mut().zip(head(p, k + n_head_kv)).for_each(|(sum, v)| *sum += w / total * v);
            }
            y.extend(sum);
        }
    }
    y
}

/// `(C)`: the mean of rows of `x (T, C)`.
pub fn mean(x: &[f32], c: usize) -> Vec<f64> {
    let n = x.len() / c;
    (0..c).map(|i| (0..n).map(|t| f64::from(x[t * c + i])).sum::<f64>() / n as f64).collect()
}
