// y (T, N) += sum over a token's experts e of weight_e * (w_e . x_e), w (E, N, K), x (T, N_USED, K): the second matmul of a
// mixture of experts with its weighted sum and the residual. LANES invocations share a pair of rows.
#import shared/workgroup_sum
#import shared/row_sum
#import shared/input_chunk
#import shared/routes
#import weight/${WEIGHT}
#import input/plain
#import output/add

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let token = workgroup.y;
  let lane = t % LANES;
  let row = (workgroup.x * (WG / LANES) + t / LANES) * 2u;
  var acc: Acc;
  for (var slot = 0u; slot < N_USED; slot++) {
    let route = routes[token * N_USED + slot];
    let expert = route.expert - EXPERT0;
    if (expert >= N_EXPERT) { continue; }
    let w_row = expert * N + min(row, N - 1u);
    let w_next = expert * N + min(row + 1u, N - 1u);
    x_base = (token * N_USED + slot) * K16 * 4u;
    for (var j0 = 0u; j0 < K16; j0 += CHUNK) {
      let n = input_chunk(j0, t);
      for (var j = lane; j < n; j += LANES) {
        let x16 = input16(j);
        let v = vec2f(weight_dot(weight16(w_row, j0 + j), x16), weight_dot(weight16(w_next, j0 + j), x16));
        acc += v * route.weight;
      }
    }
  }
  acc = row_sum(acc, t);
  if (lane == 0u) { output_pair(token, row, acc.x, acc.y); }
}
