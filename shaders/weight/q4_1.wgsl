// Q4_1: blocks of 32 codes of 4 bits, a scale d and a minimum m (f16); value = code * d + m. w_sc: d and m of a
// block each.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = true;

fn codes16(row: u32, j: u32) -> Codes {
  let dm = unpack2x16float(w_sc[row * (K16 / 2u) + j / 2u]);
  return Codes(nibbles16(w_qs[row * K16 + j]), dm.x, dm.y);
}
