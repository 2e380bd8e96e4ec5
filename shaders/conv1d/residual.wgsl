// What is added: row t / REPEAT of a tensor, and the factor of the sum.
@group(0) @binding(7) var<storage, read> residual: array<vec4f>;
override RESIDUAL_PITCH: u32; // vec4f from one row to the next
override REPEAT: u32;         // rows of y for a row of it
override RESIDUAL_SCALE: f32;

fn with_residual(t: u32, n4: u32, v: vec4f) -> vec4f {
  return (v + residual[t / REPEAT * RESIDUAL_PITCH + n4]) * RESIDUAL_SCALE;
}
