// Leaky ReLU
override LEAK: f32; // what negative values are multiplied with

fn leaky(v: vec4f) -> vec4f {
  return max(v, vec4f(0.0)) + LEAK * min(v, vec4f(0.0));
}
