// F32
@group(0) @binding(2) var<storage, read> w_qs: array<vec4f>;

fn weight4(row: u32, j: u32, quarter: u32) -> vec4f {
  return w_qs[(row * K16 + j) * 4u + quarter];
}

fn scaled(v: vec4f, n4: u32) -> vec4f {
  return v;
}
