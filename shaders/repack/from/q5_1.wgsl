// Blocks of 24 bytes: d and m (f16), fifth bits (u32), 16 bytes of nibbles as in Q4_0. A unit is a block.
#import repack/codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_blocks = params.k / 32u;
  if (unit >= n_blocks) { return; }
  let at = src_row + unit * 24u;
  let block = dst_row * n_blocks + unit;
  w_sc[block * 2u] = src_u32(at);
  w_sc[block * 2u + 1u] = src_u32(at + 4u);
  w_qs[block * 2u] = nibble_group(at + 8u, 0u);
  w_qs[block * 2u + 1u] = nibble_group(at + 8u, 4u);
}
