// Blocks of 34 bytes: d (f16), 32 codes. A unit is two blocks.
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_blocks = params.k / 32u;
  let n_units = (n_blocks + 1u) / 2u;
  if (unit >= n_units) { return; }
  var d = 0u;
  for (var b = 0u; b < 2u; b++) {
    let block = unit * 2u + b;
    if (block < n_blocks) {
      let at = src_row + block * 34u;
      d |= src_u16(at) << (16u * b);
      for (var h = 0u; h < 2u; h++) {
        let q = at + 2u + h * 16u;
        w_qs[(dst_row * n_blocks + block) * 2u + h] =
          vec4u(src_u32(q), src_u32(q + 4u), src_u32(q + 8u), src_u32(q + 12u));
      }
    }
  }
  w_sc[dst_row * n_units + unit] = d;
}
