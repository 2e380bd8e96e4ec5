// Q3_K: super-blocks of 256 codes of 3 bits; every 16 have a scale of 6 bits, the super-block d (f16);
// value = (code - 4) * (d * (scale - 32)). w_qs: the low 2 bits; w_sc: of a super-block each 8 words of third bits,
// 16 bytes of scale - 32, and d.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
@group(0) @binding(2) var<storage, read> w_qs: array<u32>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn codes16(row: u32, j: u32) -> Codes {
  let s = (row * (K16 / 16u) + j / 16u) * 13u;
  let g = j % 16u;
  let high = w_sc[s + g / 2u] >> ((g & 1u) * 16u);
  let scale = i8_at(w_sc[s + 8u + g / 4u], g % 4u);
  let q = crumbs16(w_qs[row * K16 + j]) | (bits16(high) << vec4u(2u));
  return Codes(minus(q, 4u), unpack2x16float(w_sc[s + 12u]).x * scale, 0.0);
}
