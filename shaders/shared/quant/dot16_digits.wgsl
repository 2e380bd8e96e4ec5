// Products of codes and digits are sums of integers, four at a time (dp4a), and no code needs to become a float.
struct X16 {
  high: vec4u,
  mid: vec4u,
  low: vec4u,
  unit: f32,
  sum: f32, // of the values, for weights that have minima
}

fn dot_i8(a: vec4u, b: vec4u) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

fn dot16(row: u32, j: u32, x: X16) -> f32 {
  let w = codes16(row, j);
  let low = (dot_i8(w.q, x.mid) << 8u) + dot_i8(w.q, x.low);
  let s = (f32(dot_i8(w.q, x.high)) * 65536.0 + f32(low)) * x.unit * w.d;
  if (WEIGHT_HAS_MIN) { return s + w.m * x.sum; }
  return s;
}
