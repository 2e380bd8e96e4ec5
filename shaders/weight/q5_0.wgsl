// Q5_0: blocks of 32 codes of 5 bits and a scale d (f16); value = (code - 16) * d. w_qs: the low 4 bits; w_sc: of
// two blocks each the fifth bits, a word a block, and their d.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn codes16(row: u32, j: u32) -> Codes {
  let s = (row * ((K16 + 3u) / 4u) + j / 4u) * 3u;
  let second = (j & 2u) != 0u;
  let high = w_sc[s + select(0u, 1u, second)] >> ((j & 1u) * 16u);
  let d = unpack2x16float(w_sc[s + 2u]);
  let q = nibbles16(w_qs[row * K16 + j]) | (bits16(high) << vec4u(4u));
  return Codes(minus(q, 16u), select(d.x, d.y, second), 0.0);
}
