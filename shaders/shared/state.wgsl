// What changes from step to step lives here, on the GPU, so that a decode step is the same commands again.
struct State {
  pos: u32,      // position of the batch's first token: the tokens in the KV cache before it
  n_tokens: u32, // T, the tokens of this batch
  n_sampled: u32, // ids sampled since the prompt; numbers the sampler's random draws
  seed: u32,
  temperature: f32, // 0 means greedy
  top_k: u32,       // 0 means off
  top_p: f32,       // 1 means off
  min_p: f32,       // 0 means off
  repeat_penalty: f32, // 1 means off
  n_recent: u32,       // ids in the window of the repeat penalty
}
