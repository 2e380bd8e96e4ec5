// Blocks of 18 bytes: d (f16), 16 bytes whose low nibbles are elements 0 to 15 and high nibbles 16 to 31. A unit is
// two blocks. IQ4_NL has the same blocks.
#import shared/repack_codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_blocks = params.k / 32u;
  let n_units = (n_blocks + 1u) / 2u;
  if (unit >= n_units) { return; }
  var d = 0u;
  for (var b = 0u; b < 2u; b++) {
    let block = unit * 2u + b;
    if (block < n_blocks) {
      let at = src_row + block * 18u;
      d |= src_u16(at) << (16u * b);
      let dst = (dst_row * n_blocks + block) * 2u;
      w_qs[dst] = nibble_group(at + 2u, 0u);
      w_qs[dst + 1u] = nibble_group(at + 2u, 4u);
    }
  }
  w_sc[dst_row * n_units + unit] = d;
}
