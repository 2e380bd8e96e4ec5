// The router of a mixture of experts (arXiv:2101.03961): logits become probabilities in place, and N_USED experts are taken,
// their probabilities made to sum to 1. GATE says what a probability is, and by what experts are chosen. A workgroup takes a
// token; the lower id wins a tie.
#import shared/reduce/workgroup_sum
#import experts/route_struct
@group(0) @binding(0) var<storage, read_write> probs: array<f32>; // (T, STRIDE), logits at first
@group(0) @binding(5) var<storage, read_write> routes: array<Route>; // (T, N_USED)
override N_EXPERT: u32;
override N_USED: u32;
override STRIDE: u32;
#import experts/gate/${GATE}

// The least sum of a token's weights that they are divided by, as in llama.cpp: the smallest normal f16.
const LEAST_WEIGHTS_SUM: f32 = 6.103515625e-5;
var<workgroup> score: array<f32, N_EXPERT>;
var<workgroup> best: array<Route, N_USED>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let at = workgroup.x * STRIDE;
  gate_begin(at, t);
  for (var e = t; e < N_EXPERT; e += WG) { score[e] = gate_score(at, e); }
  workgroupBarrier();
  var chosen = 0.0;
  for (var e = t; e < N_EXPERT; e += WG) {
    var rank = 0u;
    for (var f = 0u; f < N_EXPERT; f++) {
      if (score[f] > score[e] || (score[f] == score[e] && f < e)) { rank += 1u; }
    }
    let v = gate_value(at, e);
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
