// Two curves (T, 2) of two tensors (T, C), by a weight of C codes and a bias each: pitch and loudness.
#import shared/quant/bytes
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> second: array<vec4f>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(2) var<storage, read> w_qs: array<u32>;  // (2, C)
@group(0) @binding(3) var<storage, read> w_sc: array<f32>; // (2)
@group(0) @binding(5) var<storage, read> bias: array<f32>; // (2)
@group(0) @binding(4) var<storage, read_write> y: array<vec2f>;
override C4: u32;
const CURVES_WG = 64u;
const CURVES_LANES = 16u; // invocations that share a row
var<workgroup> sums: array<vec2f, CURVES_WG>;

@compute @workgroup_size(CURVES_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = workgroup.x * (CURVES_WG / CURVES_LANES) + t / CURVES_LANES;
  let at = min(row, x_len - 1u) * C4;
  var sum = vec2f(0.0);
  for (var c = t % CURVES_LANES; c < C4; c += CURVES_LANES) {
    sum += vec2f(dot(x[at + c], i8x4(w_qs[c])), dot(second[at + c], i8x4(w_qs[C4 + c])));
  }
  sums[t] = sum;
  workgroupBarrier();
  if (t % CURVES_LANES != 0u || row >= x_len) { return; }
  for (var i = 1u; i < CURVES_LANES; i++) { sum += sums[t + i]; }
  y[row] = sum * vec2f(w_sc[0], w_sc[1]) + vec2f(bias[0], bias[1]);
}
