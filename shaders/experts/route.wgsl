// The router of a mixture of experts (arXiv:2101.03961): logits become probabilities in place, and the N_USED most
// probable experts are taken, their probabilities made to sum to 1. A workgroup takes a token; the lower id wins a tie.
#import shared/reduce/workgroup_sum
#import experts/route_struct
@group(0) @binding(0) var<storage, read_write> probs: array<f32>; // (T, STRIDE), logits at first
@group(0) @binding(5) var<storage, read_write> routes: array<Route>; // (T, N_USED)
override N_EXPERT: u32;
override N_USED: u32;
override STRIDE: u32;

// The least sum of a token's weights that they are divided by, as in llama.cpp: the smallest normal f16.
const LEAST_WEIGHTS_SUM: f32 = 6.103515625e-5;
var<workgroup> p: array<f32, N_EXPERT>;
var<workgroup> best: array<Route, N_USED>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let at = workgroup.x * STRIDE;
  var highest = probs[at];
  for (var e = 1u; e < N_EXPERT; e++) { highest = max(highest, probs[at + e]); }
  var sum = 0.0;
  for (var e = t; e < N_EXPERT; e += WG) {
    p[e] = exp(probs[at + e] - highest);
    sum += p[e];
  }
  let total = workgroup_sum(sum, t);
  var chosen = 0.0;
  for (var e = t; e < N_EXPERT; e += WG) {
    var rank = 0u;
    for (var f = 0u; f < N_EXPERT; f++) {
      if (p[f] > p[e] || (p[f] == p[e] && f < e)) { rank += 1u; }
    }
    let v = p[e] / total;
    probs[at + e] = v;
    if (rank < N_USED) {
      best[rank] = Route(e, v);
      chosen += v;
    }
  }
  let of_chosen = max(workgroup_sum(chosen, t), LEAST_WEIGHTS_SUM);
  for (var i = t; i < N_USED; i += WG) {
    routes[workgroup.x * N_USED + i] = Route(best[i].expert, best[i].weight / of_chosen);
  }
}
