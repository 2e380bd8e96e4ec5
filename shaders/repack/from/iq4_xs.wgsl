// Super-blocks of 136 bytes: d (f16), high scale bits (u16), 4 of low scale bits, 8 blocks of 16 bytes of nibbles as in
// Q4_0. A unit is a super-block.
#import repack/codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_units = params.k / 256u;
  if (unit >= n_units) { return; }
  let at = src_row + unit * 136u;
  let qs = (dst_row * n_units + unit) * 16u;
  let sc = (dst_row * n_units + unit) * 2u;
  for (var g = 0u; g < 16u; g++) {
    w_qs[qs + g] = nibble_group(at + 8u + (g / 2u) * 16u, (g & 1u) * 4u);
  }
  w_sc[sc] = src_u32(at);
  w_sc[sc + 1u] = src_u32(at + 4u);
}
