// Q4_0: blocks of 32 codes of 4 bits and a scale d (f16); value = (code - 8) * d. w_sc: the d of two blocks each.
#import shared/quant/k16
#import shared/quant/codes
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn codes16(row: u32, j: u32) -> Codes {
  let d = unpack2x16float(w_sc[row * ((K16 + 3u) / 4u) + j / 4u]);
  // The nibbles at the top of their bytes: with the topmost bit flipped, 16 (code - 8).
  let c = w_qs[row * K16 + j] ^ vec2u(0x88888888u);
  let q = vec4u(c.x << 4u, c.x, c.y << 4u, c.y) & vec4u(0xf0f0f0f0u);
  return Codes(q, select(d.x, d.y, (j & 2u) != 0u) / 16.0, 0.0);
}
