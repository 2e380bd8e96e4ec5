// The softmax of all logits, by which experts are chosen.
var<private> highest: f32;
var<private> total: f32;

fn gate_begin(at: u32, t: u32) {
  highest = probs[at];
  for (var e = 1u; e < N_EXPERT; e++) { highest = max(highest, probs[at + e]); }
  var sum = 0.0;
  for (var e = t; e < N_EXPERT; e += WG) { sum += exp(probs[at + e] - highest); }
  total = workgroup_sum(sum, t);
}

fn gate_score(at: u32, e: u32) -> f32 {
  return gate_value(at, e);
}

fn gate_value(at: u32, e: u32) -> f32 {
  return exp(probs[at + e] - highest) / total;
}
