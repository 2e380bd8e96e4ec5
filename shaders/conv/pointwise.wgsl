// y (PLACES, N) = x (PLACES, C) . w^T, w (N, C): a convolution of 1 x 1, a matmul of a fixed number of rows. A tile is four
// places by four channels; LANES invocations share it and take the vectors of a row in turn, so that a small image keeps a
// large GPU busy, too.
#import shared/reduce/workgroup
#import conv/input_shape
#import conv/epilogue
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
override PLACES: u32;
override LANES: u32;
override WORKGROUPS_X: u32; // workgroups of a row of the grid
var<workgroup> sums: array<mat4x4f, WG>; // a column a place

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let lane = t % LANES;
  let tile = ((workgroup.y * WORKGROUPS_X + workgroup.x) * WG + t) / LANES;
  let n4 = tile % N4;
  let place = tile / N4 * 4u;
  let rows = min(vec4u(n4 * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(N - 1u)) * X_PITCH;
  let seen = min(vec4u(place) + vec4u(0u, 1u, 2u, 3u), vec4u(PLACES - 1u)) * X_PITCH;
  var sum: mat4x4f;
  for (var k = lane; k < C4; k += LANES) {
    let wt = mat4x4f(w[rows.x + k], w[rows.y + k], w[rows.z + k], w[rows.w + k]);
    sum += mat4x4f(x[seen.x + k] * wt, x[seen.y + k] * wt, x[seen.z + k] * wt, x[seen.w + k] * wt);
  }
  // A register can't be indexed, workgroup memory can.
  sums[t] = sum;
  if (LANES > 1u) { workgroupBarrier(); }
  let is_channel = vec4u(n4 * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(N);
  for (var p = lane; p < 4u; p += LANES) {
    var v = vec4f(0.0); // said: in a loop, Chromium on SwiftShader keeps what a variable without a value had
    for (var i = t - lane; i < t - lane + LANES; i++) { v += sums[i][p]; }
    if (place + p < PLACES) { put(place + p, n4, select(vec4f(0.0), v, is_channel)); }
  }
}
