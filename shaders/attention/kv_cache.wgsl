// KV cache of a layer: (N_HEAD_KV, CAPACITY, HEAD_DIM) keys and as many values. Position p lies at p % CAPACITY, so
// that a layer with a sliding window keeps a ring of it.
override CAPACITY: u32;

fn cache_at(head: u32, p: u32) -> u32 {
  return (head * CAPACITY + p % CAPACITY) * D4;
}
