// Q4_0: blocks of 32 codes of 4 bits and a scale d (f16); value = (code - 8) * d. w_qs: 16 codes each, a
// word's low nibbles its first four elements, the high nibbles the next four; w_sc: the d of two blocks each.
#import shared/k16
#import shared/weight16
#import shared/bytes
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn weight16(row: u32, j: u32) -> W16 {
  let c = w_qs[row * K16 + j];
  let lo = c & vec2u(0x0f0f0f0fu);
  let hi = (c >> vec2u(4u)) & vec2u(0x0f0f0f0fu);
  let d = unpack2x16float(w_sc[row * ((K16 + 3u) / 4u) + j / 4u]);
  let eight = vec4f(8.0);
  return W16(
    mat4x4f(u8x4(lo.x) - eight, u8x4(hi.x) - eight, u8x4(lo.y) - eight, u8x4(hi.y) - eight),
    select(d.x, d.y, (j & 2u) != 0u), 0.0);
}
