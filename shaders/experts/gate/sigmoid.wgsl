// The sigmoid of each logit; a bias is added for the choice alone (arXiv:2408.15664).
@group(0) @binding(7) var<storage, read> choice_bias: array<f32>; // (N_EXPERT)

fn gate_begin(at: u32, t: u32) {}

fn gate_score(at: u32, e: u32) -> f32 {
  return gate_value(at, e) + choice_bias[e];
}

fn gate_value(at: u32, e: u32) -> f32 {
  return 1.0 / (1.0 + exp(-probs[at + e]));
}
