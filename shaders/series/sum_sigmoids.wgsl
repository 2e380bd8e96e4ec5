// y (T): the sum of the sigmoids of the N columns of x (T, N).
#import shared/elements
#import shared/sigmoid
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override N: u32;
override X_PITCH: u32; // elements from one row of x to the next

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= x_len) { return; }
  var sum = 0.0;
  for (var i = 0u; i < N; i++) { sum += sigmoid(x[at.x * X_PITCH + i]); }
  y[at.x] = sum;
}
