// y (T, N) += scale * sigmoid(gate) * x (T, N), with a gate a token: what an expert of all tokens adds.
#import shared/elements
#import shared/sigmoid
@group(0) @binding(0) var<storage, read> x: array<vec4f>; // (T, Y_STRIDE4)
@group(0) @binding(1) var<storage, read> gate: array<f32>; // (T, STRIDE)
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (T, Y_STRIDE4)
override STRIDE: u32;
override Y_STRIDE4: u32;
override RESIDUAL_SCALE: f32;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= Y_STRIDE4) { return; }
  let i = at.y * Y_STRIDE4 + at.x;
  y[i] += x[i] * (RESIDUAL_SCALE * sigmoid(gate[at.y * STRIDE]));
}
