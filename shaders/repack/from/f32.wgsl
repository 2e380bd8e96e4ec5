// A unit is 4 elements.
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec4u>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let k4 = (params.k + 15u) / 16u * 4u;
  if (unit >= k4) { return; }
  var v: vec4u;
  for (var i = 0u; i < 4u; i++) {
    let e = unit * 4u + i;
    v[i] = select(0u, src_u32(src_row + e * 4u), e < params.k);
  }
  w_qs[dst_row * k4 + unit] = v;
}
