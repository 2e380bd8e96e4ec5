// Super-blocks of 176 bytes: d and dmin (f16), 12 of scales and minima, 32 of fifth bits, 128 of codes as in Q4_K. Bit
// s of the fifth bits' bytes is of elements 32 s on. A unit is a super-block.
#import repack/scale_min
#import repack/codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_units = params.k / 256u;
  if (unit >= n_units) { return; }
  let at = src_row + unit * 176u;
  let qs = (dst_row * n_units + unit) * 16u;
  let sc = (dst_row * n_units + unit) * 13u;
  for (var g = 0u; g < 16u; g++) {
    w_qs[qs + g] = nibble_group(at + 48u + (g / 4u) * 32u + (g & 1u) * 16u, (g & 2u) * 2u);
  }
  for (var i = 0u; i < 8u; i++) {
    w_sc[sc + i] = bit_group(at + 16u, i) | (bit_group(at + 32u, i) << 16u);
  }
  for (var i = 0u; i < 4u; i++) {
    w_sc[sc + 8u + i] = scale_min(at + 4u, i * 2u) | (scale_min(at + 4u, i * 2u + 1u) << 16u);
  }
  w_sc[sc + 12u] = src_u32(at);
}
