// No cache: keys and values are where the projection left them, a position a row of `qkv`.
fn cache_at(head: u32, p: u32) -> u32 {
  return p * ROW_D4 + (N_HEAD + head) * D4;
}

fn k_load(i: u32) -> vec4f {
  return qkv[i];
}

fn v_load(i: u32) -> vec4f {
  return qkv[i + N_HEAD_KV * D4];
}
