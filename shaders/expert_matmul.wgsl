// y (T, N_USED, N) = w_e . x for the experts e that each token goes to, w (E, N, K): no host learns which. A token has one
// row of x, or one for each of its experts. LANES invocations share a pair of rows, as in matmul_vec.
#import shared/workgroup_sum
#import shared/row_sum
#import shared/input_chunk
#import shared/routes
#import weight/${WEIGHT}
#import input/${EXPERT_INPUT}
#import output/${EXPERT_OUTPUT}
override X_ROWS: u32; // rows of x a token: 1 or N_USED

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let token = workgroup.y;
  let slot = workgroup.z;
  let expert = routes[token * N_USED + slot].expert - EXPERT0;
  if (expert >= N_EXPERT) { return; }
  let lane = t % LANES;
  let row = (workgroup.x * (WG / LANES) + t / LANES) * 2u;
  let w_row = expert * N + min(row, N - 1u);
  let w_next = expert * N + min(row + 1u, N - 1u);
  x_base = (token * X_ROWS + slot % X_ROWS) * K16 * 4u;
  input_begin(t);
  var acc: Acc;
  for (var j0 = 0u; j0 < K16; j0 += CHUNK) {
    let n = input_chunk(j0, t);
    for (var j = lane; j < n; j += LANES) {
      let x16 = input16(j);
      acc += vec2f(weight_dot(weight16(w_row, j0 + j), x16), weight_dot(weight16(w_next, j0 + j), x16));
    }
  }
  acc = row_sum(acc, t) * input_scale(t);
  if (lane == 0u) { output_pair(token * N_USED + slot, row, acc.x, acc.y); }
}
