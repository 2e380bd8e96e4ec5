// Both curves (2 T, 2) at half their rate, by a convolution of kernel 3, stride 2 and padding 1 each, w (2, 3): to two columns of y and
// of another tensor (T, .).
#import shared/elements
@group(0) @binding(0) var<storage, read> x: array<vec2f>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>; // (2)
@group(0) @binding(11) var<uniform> y_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> other: array<vec4f>;
override Y_PITCH: u32;
override Y_COL4: u32;
override OTHER_PITCH: u32;
override OTHER_COL4: u32;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let t = at.x;
  if (t >= y_len) { return; }
  var v = vec2f(bias[0], bias[1]) + x[2u * t] * vec2f(w[1], w[4]) + x[2u * t + 1u] * vec2f(w[2], w[5]);
  if (t > 0u) { v += x[2u * t - 1u] * vec2f(w[0], w[3]); }
  y[t * Y_PITCH + Y_COL4] = vec4f(v, 0.0, 0.0);
  other[t * OTHER_PITCH + OTHER_COL4] = vec4f(v, 0.0, 0.0);
}
