// A cache of vectors of four, each stored by itself, as Cached; the type says how with pack and unpack.
#import attention/kv_cache
@group(0) @binding(2) var<storage, read_write> k_cache: array<Cached>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<Cached>;
const KV_UNIT = 1u; // vec4f that are stored together

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
