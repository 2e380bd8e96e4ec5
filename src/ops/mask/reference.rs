//! What this op's kernel computes.

/// `logits`, where those without a bit are too low to be drawn; what is no number stays.
pub fn mask(logits: &[f32], allowed: &[u32]) -> Vec<f32> {
    let is_allowed = |i: usize| allowed[i / 32] >> (i % 32) & 1 == 1;
    logits.iter().enumerate().map(|(i, &v)| if is_allowed(i) || !v.is_finite() { v } else { -1e38 }).collect()
}
