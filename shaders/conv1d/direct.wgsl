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
  let row = workgroup.y * DIRECT_T;
  let n = min(vec4u(n4 * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(N - 1u));
  var low: mat4x4f; // a column a row of y
  var high: mat4x4f;
  for (var j = 0u; j < K16; j++) {
    for (var q = 0u; q < 4u; q++) {
      let w = transpose(mat4x4f(weight4(n.x, j, q), weight4(n.y, j, q), weight4(n.z, j, q), weight4(n.w, j, q)));
      low += mat4x4f(w * seen(row, j, q), w * seen(row + 1u, j, q), w * seen(row + 2u, j, q), w * seen(row + 3u, j, q));
      high += mat4x4f(w * seen(row + 4u, j, q), w * seen(row + 5u, j, q), w * seen(row + 6u, j, q), w * seen(row + 7u, j, q));
    }
  }
  put(row, n4, low[0]);
  put(row + 1u, n4, low[1]);
  put(row + 2u, n4, low[2]);
  put(row + 3u, n4, low[3]);
  put(row + 4u, n4, high[0]);
  put(row + 5u, n4, high[1]);
  put(row + 6u, n4, high[2]);
  put(row + 7u, n4, high[3]);
}
