// y (N) = w (N, K) . x (K), the matmul of decode. LANES invocations share a row and take its groups of 16 in
// turn; each keeps ROWS sums, so that what it read of x serves ROWS rows.
#import shared/reduce
#import weight/${WEIGHT}
#import input/${INPUT}
#import output/${OUTPUT}
override WORKGROUPS_X: u32 = 65535u; // workgroups of a row of the grid
const ROWS = ${ROWS}u;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) t: u32,
#ifdef SUBGROUPS
  @builtin(subgroup_size) subgroup_size: u32,
#endif
) {
#ifndef SUBGROUPS
  let subgroup_size = 0u;
#endif
  let lane = t % LANES;
  let row0 = ((workgroup.y * WORKGROUPS_X + workgroup.x) * (WG / LANES) + t / LANES) * ROWS;
  input_begin(t, subgroup_size);
  var acc: array<f32, ROWS>;
  for (var j = lane; j < K16; j += LANES) {
    let x16 = input16(j);
    for (var r = 0u; r < ROWS; r++) {
      acc[r] += weight_dot(weight16(min(row0 + r, N - 1u), j), x16);
    }
  }
  let scale = input_scale(t, subgroup_size);
  for (var r = 0u; r < ROWS; r++) { acc[r] = lanes_sum(acc[r], t, LANES) * scale; }
  if (lane == 0u) {
#ifdef ROWS_1
    output(0u, row0, acc[0]);
#else
    for (var r = 0u; r < ROWS; r += 2u) { output_pair(0u, row0 + r, acc[r], acc[r + 1u]); }
#endif
  }
}
