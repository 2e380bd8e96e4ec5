// Activation functions. exp and tanh are kept away from their overflow: WGSL has no infinities.
fn silu(v: f32) -> f32 {
  return v / (1.0 + exp(-clamp(v, -80.0, 80.0)));
}

fn silu4(v: vec4f) -> vec4f {
  return v / (1.0 + exp(-clamp(v, vec4f(-80.0), vec4f(80.0))));
}

// GELU, tanh form (arXiv:1606.08415), as ggml computes it.
fn gelu(v: f32) -> f32 {
  let u = 0.7978845608028654 * v * (1.0 + 0.044715 * v * v);
  return 0.5 * v * (1.0 + tanh(clamp(u, -12.0, 12.0)));
}
