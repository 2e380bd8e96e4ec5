// Blocks of 17 bytes: the scale, 16 bytes of nibbles as in Q4_0. A unit is four blocks.
#import shared/repack_codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_blocks = params.k / 32u;
  let n_units = (n_blocks + 3u) / 4u;
  if (unit >= n_units) { return; }
  var e = 0u;
  for (var b = 0u; b < 4u; b++) {
    let block = unit * 4u + b;
    if (block < n_blocks) {
      let at = src_row + block * 17u;
      e |= (src_u32(at) & 0xffu) << (8u * b);
      let dst = (dst_row * n_blocks + block) * 2u;
      w_qs[dst] = nibble_group(at + 1u, 0u);
      w_qs[dst + 1u] = nibble_group(at + 1u, 4u);
    }
  }
  w_sc[dst_row * n_units + unit] = e;
}
