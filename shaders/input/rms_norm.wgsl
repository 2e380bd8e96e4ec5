// RMSNorm (arXiv:1910.07467) of the input, in every workgroup again: cheaper than a dispatch of its own.
// The factor 1/rms leaves the sum, so the dot products need not wait for it.
#import shared/k16
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> norm_weight: array<vec4f>;
override K: f32; // elements of a row
override EPS: f32;

var<private> x_base: u32 = 0u; // start of the row, in vec4f

fn input_begin(t: u32) {}

fn input16(j: u32) -> mat4x4f {
  let i = j * 4u;
  return mat4x4f(
    x[x_base + i] * norm_weight[i], x[x_base + i + 1u] * norm_weight[i + 1u],
    x[x_base + i + 2u] * norm_weight[i + 2u], x[x_base + i + 3u] * norm_weight[i + 3u]);
}

fn input_scale(t: u32) -> f32 {
  var sum_sq = 0.0;
  for (var i = t; i < K16 * 4u; i += WG) { sum_sq += dot(x[x_base + i], x[x_base + i]); }
  return inverseSqrt(workgroup_sum(sum_sq, t) / K + EPS);
}
