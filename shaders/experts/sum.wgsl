// y (T, N) += sum over a token's experts e of weight_e * (w_e . x_e), w (E, N, K), x (T, N_USED, K): the second matmul
// of a mixture of experts with its weighted sum and the residual. LANES invocations share a pair of rows.
#import shared/reduce/workgroup_sum
#import shared/reduce/row_sum
#import experts/routes
#import experts/pair
#import weight/${WEIGHT}
#import matmul/source/plain
#import matmul/output/add

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let token = workgroup.y;
  let row = (workgroup.x * (WG / LANES) + t / LANES) * 2u;
  var acc: vec2f;
  for (var slot = 0u; slot < N_USED; slot++) {
    let route = routes[token * N_USED + slot];
    let expert = route.expert - EXPERT0;
    if (expert >= N_EXPERT) { continue; }
    x_base = (token * N_USED + slot) * K16 * 4u;
    acc += expert_pair(expert, row, t) * route.weight;
  }
  acc = row_sum(acc, t);
  if (t % LANES == 0u) { output_pair(token, row, acc.x, acc.y); }
}
