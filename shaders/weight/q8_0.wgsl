// Q8_0: blocks of 32 codes i8 and a scale d (f16). w_qs: 16 codes each; w_sc: the d of two blocks each.
#import shared/k16
#import shared/weight16
#import shared/bytes
@group(0) @binding(2) var<storage, read> w_qs: array<vec4u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn weight16(row: u32, j: u32) -> W16 {
  let c = w_qs[row * K16 + j];
  let d = unpack2x16float(w_sc[row * ((K16 + 3u) / 4u) + j / 4u]);
  return W16(mat4x4f(i8x4(c.x), i8x4(c.y), i8x4(c.z), i8x4(c.w)), select(d.x, d.y, (j & 2u) != 0u), 0.0);
}
