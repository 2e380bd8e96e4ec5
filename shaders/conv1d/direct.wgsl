// As conv1d/tile, for a CPU that plays GPU, which pays for every barrier: an invocation makes 8 rows by 4 channels, straight from memory.
#import shared/elements
#import conv1d/window
#import conv1d/weight/${WEIGHT}
#import conv1d/input/${INPUT}
#import conv1d/output/${OUTPUT}
override GRID_N4: u32 = (N + 3u) / 4u; // fours of channels
const DIRECT_T = 8u; // rows of an invocation

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n4 = workgroup.x * ELEMENT_WG + t;
  if (n4 >= GRID_N4) { return; }
  let first = workgroup.y * DIRECT_T;
  let n = min(vec4u(n4 * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(N - 1u));
  let steps = vec4u(0u, 1u, 2u, 3u) * CONV_STRIDE;
  var low: mat4x4f; // a column a row of y
  var high: mat4x4f;
  for (var tap = 0u; tap < KERNEL; tap++) {
    let row = vec4u(first * CONV_STRIDE + tap * DILATION - PAD) + steps; // huge before the first
    let row4 = row + vec4u(4u * CONV_STRIDE);
    let a = min(row, vec4u(x_len - 1u)) * X_PITCH;
    let b = min(row4, vec4u(x_len - 1u)) * X_PITCH;
    let is_a = select(vec4f(0.0), vec4f(1.0), row < vec4u(x_len));
    let is_b = select(vec4f(0.0), vec4f(1.0), row4 < vec4u(x_len));
    for (var i = 0u; i < 4u * C16; i++) {
      let j = tap * C16 + i / 4u;
      let q = i % 4u;
      let w = transpose(mat4x4f(weight4(n.x, j, q), weight4(n.y, j, q), weight4(n.z, j, q), weight4(n.w, j, q)));
      low += mat4x4f(
        w * (input_act(x[a.x + i]) * is_a.x), w * (input_act(x[a.y + i]) * is_a.y),
        w * (input_act(x[a.z + i]) * is_a.z), w * (input_act(x[a.w + i]) * is_a.w));
      high += mat4x4f(
        w * (input_act(x[b.x + i]) * is_b.x), w * (input_act(x[b.y + i]) * is_b.y),
        w * (input_act(x[b.z + i]) * is_b.z), w * (input_act(x[b.w + i]) * is_b.w));
    }
  }
  put(first, n4, low[0]);
  put(first + 1u, n4, low[1]);
  put(first + 2u, n4, low[2]);
  put(first + 3u, n4, low[3]);
  put(first + 4u, n4, high[0]);
  put(first + 5u, n4, high[1]);
  put(first + 6u, n4, high[2]);
  put(first + 7u, n4, high[3]);
}
