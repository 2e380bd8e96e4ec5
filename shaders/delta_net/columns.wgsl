// The inputs of the convolution before the batch: in the state's buffer, after the state.
override CAPACITY: u32; // KERNEL: a token's own column is written where none that its sum is of lies
override COLUMNS0: u32 = N_V * HEAD_DIM * D4;

fn column(t: u32, i: u32) -> vec4f {
  return x[t * STRIDE4 + i];
}

fn column_at(pos: u32, i: u32) -> u32 {
  return COLUMNS0 + pos % CAPACITY * C4 + i;
}
