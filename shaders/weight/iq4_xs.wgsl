// IQ4_XS: super-blocks of 256 codes of 4 bits, which stand for values of a table; every 32 have a scale of 6 bits,
// the super-block d (f16); value = table[code] * (d * (scale - 32)). w_sc: of a super-block each d and the scales'
// high 2 bits, then their low 4 bits.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
#import shared/quant/iq4_values
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

fn codes16(row: u32, j: u32) -> Codes {
  let s = (row * (K16 / 16u) + j / 16u) * 2u;
  let block = (j % 16u) / 2u;
  let low = (w_sc[s + 1u] >> (4u * block)) & 15u;
  let high = (w_sc[s] >> (16u + 2u * block)) & 3u;
  let scale = f32(low | (high << 4u)) - 32.0;
  return Codes(iq4_values16(nibbles16(w_qs[row * K16 + j])), unpack2x16float(w_sc[s]).x * scale, 0.0);
}
