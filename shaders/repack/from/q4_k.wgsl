// Super-blocks of 144 bytes: d and dmin (f16), 12 of scales and minima, 128 of codes. The low nibbles of code bytes 32
// n to 32 n + 31 are elements 64 n on, the high ones 64 n + 32 on. A unit is a super-block.
#import repack/scale_min
#import repack/codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_units = params.k / 256u;
  if (unit >= n_units) { return; }
  let at = src_row + unit * 144u;
  let qs = (dst_row * n_units + unit) * 16u;
  let sc = (dst_row * n_units + unit) * 5u;
  for (var g = 0u; g < 16u; g++) {
    w_qs[qs + g] = nibble_group(at + 16u + (g / 4u) * 32u + (g & 1u) * 16u, (g & 2u) * 2u);
  }
  for (var i = 0u; i < 4u; i++) {
    w_sc[sc + i] = scale_min(at + 4u, i * 2u) | (scale_min(at + 4u, i * 2u + 1u) << 16u);
  }
  w_sc[sc + 4u] = src_u32(at);
}
