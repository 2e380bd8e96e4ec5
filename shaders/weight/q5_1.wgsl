// Q5_1: blocks of 32 codes of 5 bits, a scale d and a minimum m (f16); value = code * d + m. w_qs: the low 4 bits;
// w_sc: of a block each d and m, then the fifth bits.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = true;

fn codes16(row: u32, j: u32) -> Codes {
  let s = row * K16 + (j & ~1u);
  let dm = unpack2x16float(w_sc[s]);
  let high = w_sc[s + 1u] >> ((j & 1u) * 16u);
  return Codes(nibbles16(w_qs[row * K16 + j]) | (bits16(high) << vec4u(4u)), dm.x, dm.y);
}
