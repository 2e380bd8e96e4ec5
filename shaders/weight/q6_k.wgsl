// Q6_K: super-blocks of 256 codes of 6 bits; every 16 have a scale i8, the super-block d (f16);
// value = (code - 32) * (d * scale). w_qs: the low 4 bits; w_sc: of a super-block each 16 words of the high 2 bits,
// 16 scales, and d.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn codes16(row: u32, j: u32) -> Codes {
  let s = (row * (K16 / 16u) + j / 16u) * 21u;
  let g = j % 16u;
  let scale = i8_at(w_sc[s + 16u + g / 4u], g % 4u);
  let q = nibbles16(w_qs[row * K16 + j]) | (crumbs16(w_sc[s + g]) << vec4u(4u));
  return Codes(minus(q, 32u), unpack2x16float(w_sc[s + 20u]).x * scale, 0.0);
}
