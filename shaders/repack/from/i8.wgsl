// I8: rows of a multiple of 16 codes; a unit is 16.
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec4u>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let k16 = params.k / 16u;
  if (unit >= k16) { return; }
  let q = src_row + unit * 16u;
  w_qs[dst_row * k16 + unit] = vec4u(src_u32(q), src_u32(q + 4u), src_u32(q + 8u), src_u32(q + 12u));
}
