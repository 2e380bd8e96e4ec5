// y (N) = w (N, K) . x (K), the matmul of decode. LANES invocations share a row and take its groups of 16 in
// turn; each keeps the sums of ROWS rows, so that what it read of x serves them all.
#import shared/reduce/workgroup_sum
#import shared/reduce/row_sum
#import weight/${WEIGHT}
#import matmul/source/${SOURCE}
#import matmul/output/${OUTPUT}
override WORKGROUPS_X: u32; // workgroups of a row of the grid
const ROWS = ${ROWS}u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let lane = t % LANES;
  let workgroup_row0 = (workgroup.y * WORKGROUPS_X + workgroup.x) * (WG / LANES) * ROWS;
  let row0 = workgroup_row0 + t / LANES * ROWS;
  input_begin(t);
  var acc: Acc;
  for (var j0 = 0u; j0 < K16; j0 += CHUNK) {
    let n = input_chunk(j0, t);
    for (var j = lane; j < n; j += LANES) {
      let x16 = input16(j);
#ifdef ROWS_1
      acc += dot16(min(row0, N - 1u), j0 + j, x16);
#else
      acc.x += dot16(min(row0, N - 1u), j0 + j, x16);
      acc.y += dot16(min(row0 + 1u, N - 1u), j0 + j, x16);
#endif
#ifdef ROWS_4
      acc.z += dot16(min(row0 + 2u, N - 1u), j0 + j, x16);
      acc.w += dot16(min(row0 + 3u, N - 1u), j0 + j, x16);
#endif
    }
  }
  acc = row_sum(acc, t) * input_scale(t);
  if (lane == 0u) {
#ifdef ROWS_1
    output(0u, row0, acc);
#else
    output_pair(0u, row0, acc.x, acc.y);
#endif
#ifdef ROWS_4
    output_pair(0u, row0 + 2u, acc.z, acc.w);
#endif
  }
  output_end(workgroup_row0, t);
}
