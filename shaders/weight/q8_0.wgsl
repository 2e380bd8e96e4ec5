// Q8_0: blocks of 32 codes i8 and a scale d (f16). w_qs: 16 codes each; w_sc: the d of two blocks each.
#import shared/quant/k16
#import shared/quant/codes
@group(0) @binding(2) var<storage, read> w_qs: array<vec4u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn codes16(row: u32, j: u32) -> Codes {
  let d = unpack2x16float(w_sc[row * ((K16 + 3u) / 4u) + j / 4u]);
  return Codes(w_qs[row * K16 + j], select(d.x, d.y, (j & 2u) != 0u), 0.0);
}
