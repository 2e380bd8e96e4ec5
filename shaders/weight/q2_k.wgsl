// Q2_K: super-blocks of 256 codes of 2 bits; every 16 have a scale and a minimum of 4 bits, the super-block d and
// dmin (f16); value = code * (d * scale) - dmin * min. w_sc: of a super-block each 16 bytes of scale (low nibble) and
// min (high nibble), then d and dmin.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
@group(0) @binding(2) var<storage, read> w_qs: array<u32>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = true;

fn codes16(row: u32, j: u32) -> Codes {
  let s = (row * (K16 / 16u) + j / 16u) * 5u;
  let sm = (w_sc[s + (j % 16u) / 4u] >> ((j % 4u) * 8u)) & 0xffu;
  let dm = unpack2x16float(w_sc[s + 4u]);
  return Codes(crumbs16(w_qs[row * K16 + j]), dm.x * f32(sm & 15u), -(dm.y * f32(sm >> 4u)));
}
