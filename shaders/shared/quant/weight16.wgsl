// Sixteen consecutive weights of a row: value = q * d, plus m where the type has minima. Every ggml type
// has one scale over (at least) 16 elements, so 16 is the unit in which kernels read weights.
struct W16 {
  q: mat4x4f,
  d: f32,
  m: f32,
}

// The weights' values: exactly ggml's, because q * d is exact in f32 for every type.
fn weight_values(w: W16) -> mat4x4f {
  if (WEIGHT_HAS_MIN) {
    let m = vec4f(w.m);
    return mat4x4f(w.q[0] * w.d + m, w.q[1] * w.d + m, w.q[2] * w.d + m, w.q[3] * w.d + m);
  }
  return w.q * w.d;
}

fn weight_dot(w: W16, x: mat4x4f) -> f32 {
  let s = dot(w.q[0], x[0]) + dot(w.q[1], x[1]) + dot(w.q[2], x[2]) + dot(w.q[3], x[3]);
  if (WEIGHT_HAS_MIN) {
    return s * w.d + w.m * dot(x[0] + x[1] + x[2] + x[3], vec4f(1.0));
  }
  return s * w.d;
}
