// IQ4_NL: blocks of 32 codes of 4 bits, which stand for values of a table, and a scale d (f16);
// value = table[code] * d. w_sc: the d of two blocks each.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
#import shared/quant/iq4_values
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn codes16(row: u32, j: u32) -> Codes {
  let d = unpack2x16float(w_sc[row * ((K16 + 3u) / 4u) + j / 4u]);
  return Codes(iq4_values16(nibbles16(w_qs[row * K16 + j])), select(d.x, d.y, (j & 2u) != 0u), 0.0);
}
