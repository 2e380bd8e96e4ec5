// Super-blocks of 84 bytes: 16 of scales and minima, 64 of codes, d and dmin (f16). Bits 2 s and 2 s + 1 of code bytes
// 32 n to 32 n + 31 are elements 128 n + 32 s on. A unit is a super-block.
#import repack/codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<u32>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_units = params.k / 256u;
  if (unit >= n_units) { return; }
  let at = src_row + unit * 84u;
  let qs = (dst_row * n_units + unit) * 16u;
  let sc = (dst_row * n_units + unit) * 5u;
  for (var g = 0u; g < 16u; g++) {
    w_qs[qs + g] = crumb_group(at + 16u + (g / 8u) * 32u + (g & 1u) * 16u, ((g % 8u) / 2u) * 2u);
  }
  for (var i = 0u; i < 4u; i++) { w_sc[sc + i] = src_u32(at + i * 4u); }
  w_sc[sc + 4u] = src_u32(at + 80u);
}
