// The sampler's state, from step to step.
struct SamplerState {
  n_sampled: u32, // ids sampled since the prompt; numbers the random draws
  seed: u32,
  temperature: f32, // 0 means greedy
  top_k: u32,       // 0 means off
  top_p: f32,       // 1 means off
  min_p: f32,       // 0 means off
  repeat_penalty: f32, // 1 means off
  n_recent: u32,       // ids that the repeat penalty has seen; the ring keeps the last of them
}

// Ids that the repeat penalty looks back on, a ring.
const N_RECENT = 64u;
