// Blocks of 32 codes i8 with a scale, as Q8_0: four codes a word, and after all codes the blocks' scales (f32: half
// words can't be written by themselves). HEAD_DIM is a multiple of 32.
#import shared/quant/bytes
#import attention/kv_cache
@group(0) @binding(2) var<storage, read_write> k_cache: array<u32>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<u32>;
override SCALES: u32 = N_HEAD_KV * CAPACITY * D4; // where the scales start
const KV_UNIT = 8u; // vec4f that are stored together

fn k_load(i: u32) -> vec4f {
  return i8x4(k_cache[i]) * bitcast<f32>(k_cache[SCALES + i / KV_UNIT]);
}

fn v_load(i: u32) -> vec4f {
  return i8x4(v_cache[i]) * bitcast<f32>(v_cache[SCALES + i / KV_UNIT]);
}

fn block_scale(v: array<vec4f, KV_UNIT>) -> f32 {
  var block = v;
  var top = vec4f(0.0);
  for (var c = 0u; c < KV_UNIT; c++) { top = max(top, abs(block[c])); }
  return max(max(top.x, top.y), max(top.z, top.w)) / 127.0;
}

fn codes(v: vec4f, d: f32) -> u32 {
  let q = bitcast<vec4u>(vec4i(round(v / max(d, 1e-30)))) & vec4u(0xffu);
  return q.x | (q.y << 8u) | (q.z << 16u) | (q.w << 24u);
}

fn k_store(i: u32, v: array<vec4f, KV_UNIT>) {
  var block = v;
  let d = block_scale(v);
  for (var c = 0u; c < KV_UNIT; c++) { k_cache[i + c] = codes(block[c], d); }
  k_cache[SCALES + i / KV_UNIT] = bitcast<u32>(d);
}

fn v_store(i: u32, v: array<vec4f, KV_UNIT>) {
  var block = v;
  let d = block_scale(v);
  for (var c = 0u; c < KV_UNIT; c++) { v_cache[i + c] = codes(block[c], d); }
  v_cache[SCALES + i / KV_UNIT] = bitcast<u32>(d);
}
