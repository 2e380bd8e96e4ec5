// exp is kept away from its overflow: WGSL has no infinities.
fn sigmoid(v: f32) -> f32 {
  return 1.0 / (1.0 + exp(-clamp(v, -80.0, 80.0)));
}

fn tanh_exact(v: f32) -> f32 {
  return 1.0 - 2.0 / (exp(2.0 * clamp(v, -40.0, 40.0)) + 1.0);
}
