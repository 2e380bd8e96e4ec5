// F16 and BF16: a unit is 8 elements.
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec4u>;

fn element(src_row: u32, e: u32) -> u32 {
  return select(0u, src_u16(src_row + e * 2u), e < params.k);
}

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let k8 = (params.k + 15u) / 16u * 2u;
  if (unit >= k8) { return; }
  var v: vec4u;
  for (var i = 0u; i < 4u; i++) {
    let e = unit * 8u + i * 2u;
    v[i] = element(src_row, e) | (element(src_row, e + 1u) << 16u);
  }
  w_qs[dst_row * k8 + unit] = v;
}
