// F16 to F32, in integers: what unpacks halves may take subnormal ones for 0, and so may arithmetic in floats. A unit is 4 elements.
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec4u>;

// The bits of an f32 of the same value as the f16 with bits h.
fn widened(h: u32) -> u32 {
  let sign = (h & 0x8000u) << 16u;
  let exponent = (h >> 10u) & 31u;
  let fraction = h & 1023u;
  if (exponent == 31u) { return sign | 0x7f800000u | (fraction << 13u); }
  if (exponent > 0u) { return sign | ((exponent + 112u) << 23u) | (fraction << 13u); }
  if (fraction == 0u) { return sign; }
  // fraction * 2^-24: its highest bit is the one that an f32 leaves out.
  let high = firstLeadingBit(fraction);
  return sign | ((high + 103u) << 23u) | ((fraction << (23u - high)) & 0x7fffffu);
}

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let k4 = (params.k + 15u) / 16u * 4u;
  if (unit >= k4) { return; }
  var v: vec4u;
  for (var i = 0u; i < 4u; i++) {
    let e = unit * 4u + i;
    if (e < params.k) { v[i] = widened(src_u16(src_row + e * 2u)); }
  }
  w_qs[dst_row * k4 + unit] = v;
}
