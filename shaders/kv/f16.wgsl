// KV cache of a layer in f16, four to a vec2u (no shader-f16 needed): (N_HEAD_KV, CAPACITY, HEAD_DIM) each.
// Position p lies at p % CAPACITY, so that a layer with a sliding window keeps a ring of it.
@group(0) @binding(2) var<storage, read_write> k_cache: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<vec2u>;
override CAPACITY: u32;
const KV_UNIT = 1u; // vec4f that are stored together

fn cache_at(head: u32, p: u32) -> u32 {
  return (head * CAPACITY + p % CAPACITY) * D4;
}

fn unpack(v: vec2u) -> vec4f {
  return vec4f(unpack2x16float(v.x), unpack2x16float(v.y));
}

// Beyond the largest f16 a packed value would be anything.
fn pack(value: vec4f) -> vec2u {
  let v = clamp(value, vec4f(-65504.0), vec4f(65504.0));
  return vec2u(pack2x16float(v.xy), pack2x16float(v.zw));
}

fn k_load(i: u32) -> vec4f {
  return unpack(k_cache[i]);
}

fn v_load(i: u32) -> vec4f {
  return unpack(v_cache[i]);
}

fn k_store(i: u32, v: array<vec4f, KV_UNIT>) {
  k_cache[i] = pack(v[0]);
}

fn v_store(i: u32, v: array<vec4f, KV_UNIT>) {
  v_cache[i] = pack(v[0]);
}
