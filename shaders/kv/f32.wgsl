// KV cache of a layer in f32: (N_HEAD_KV, CAPACITY, HEAD_DIM) each. Position p lies at p % CAPACITY, so that a
// layer with a sliding window keeps a ring of it.
@group(0) @binding(2) var<storage, read_write> k_cache: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<vec4f>;
override CAPACITY: u32;
const KV_UNIT = 1u; // vec4f that are stored together

fn cache_at(head: u32, p: u32) -> u32 {
  return (head * CAPACITY + p % CAPACITY) * D4;
}

fn k_load(i: u32) -> vec4f {
  return k_cache[i];
}

fn v_load(i: u32) -> vec4f {
  return v_cache[i];
}

fn k_store(i: u32, v: array<vec4f, KV_UNIT>) {
  k_cache[i] = v[0];
}

fn v_store(i: u32, v: array<vec4f, KV_UNIT>) {
  v_cache[i] = v[0];
}
