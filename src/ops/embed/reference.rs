//! Table lookup in f64: what this op's kernel computes.

/// `table[id] * scale` of each id, `(T, C)`, `table (N, C)`.
pub fn embed(table: &[f32], cols: usize, ids: impl Iterator<Item = usize>, scale: f32) -> Vec<f64> {
    ids.flat_map(|id| &table[id * cols..][..cols]).map(|&v| f64::from(v) * f64::from(scale)).collect()
}
