// y (T, N_USED, N) = w_e . x for the experts e that each token goes to, w (E, N, K): no host learns which. A token has
// one row of x, or one for each of its experts. LANES invocations share a pair of rows, as in matmul_vec.
#import shared/reduce/workgroup_sum
#import shared/reduce/row_sum
#import experts/routes
#import experts/pair
#import weight/${WEIGHT}
#import matmul/source/${SOURCE}
#import matmul/output/${OUTPUT}
override X_ROWS: u32; // rows of x a token: 1 or N_USED

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let token = workgroup.y;
  let slot = workgroup.z;
  let expert = routes[token * N_USED + slot].expert - EXPERT0;
  if (expert >= N_EXPERT) { return; }
  let row = (workgroup.x * (WG / LANES) + t / LANES) * 2u;
  x_base = (token * X_ROWS + slot % X_ROWS) * K16 * 4u;
  input_begin(t);
  var acc = expert_pair(expert, row, t);
  acc = row_sum(acc, t) * input_scale(t);
  if (t % LANES == 0u) { output_pair(token * N_USED + slot, row, acc.x, acc.y); }
}
