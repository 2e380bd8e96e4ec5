// Where the batch lies, on the GPU, so that a decode step is the same commands again.
struct Batch {
  pos: u32,    // position of its first token: the tokens in the KV cache before it
  n_rows: u32, // T, its tokens
}
