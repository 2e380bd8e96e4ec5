// LayerNorm (arXiv:1607.06450) of the input, in every workgroup again. Mean first, then the variance about
// it: one pass over sums of squares would cancel.
#import shared/quant/k16
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> norm_weight: array<vec4f>;
@group(0) @binding(7) var<storage, read> norm_bias: array<vec4f>;
override K: f32; // elements of a row
override EPS: f32;

var<private> x_base: u32 = 0u; // start of the row, in vec4f
var<private> mean: f32;
var<private> inv_std: f32;

fn input_begin(t: u32) {
  var sum = 0.0;
  for (var i = t; i < K16 * 4u; i += WG) { sum += dot(x[x_base + i], vec4f(1.0)); }
  mean = workgroup_sum(sum, t) / K;
  var sum_sq = 0.0;
  for (var i = t; i < K16 * 4u; i += WG) { let c = x[x_base + i] - vec4f(mean); sum_sq += dot(c, c); }
  // The padding, K16 * 16 - K zeros, adds mean^2 each.
  let padding = f32(K16) * 16.0 - K;
  inv_std = inverseSqrt((workgroup_sum(sum_sq, t) - padding * mean * mean) / K + EPS);
}

fn input4(i: u32) -> vec4f {
  return (x[x_base + i] - vec4f(mean)) * inv_std * norm_weight[i] + norm_bias[i];
}

fn input_scale(t: u32) -> f32 {
  return 1.0;
}
