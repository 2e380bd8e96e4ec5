@group(0) @binding(1) var<storage, read> norm_weight: array<vec4f>;
@group(0) @binding(7) var<storage, read> norm_bias: array<vec4f>;

fn affine(v: vec4f, n4: u32) -> vec4f {
  return v * norm_weight[n4] + norm_bias[n4];
}
