// What a token keeps of a head's state, and how much of what the state is off by it adds.
#import shared/sigmoid
@group(0) @binding(1) var<storage, read> head_weights: array<f32>; // (N_V) of a, (N_V) of dt, (HEAD_DIM) of the norm

fn log_decay(t: u32, head: u32) -> f32 {
  let v = scalar(t, N_V + head) + head_weights[N_V + head];
  let softplus = select(log(1.0 + exp(min(v, 20.0))), v, v > 20.0);
  return clamp(softplus * head_weights[head], -80.0, 80.0);
}

fn beta(t: u32, head: u32) -> f32 {
  return sigmoid(scalar(t, head));
}
