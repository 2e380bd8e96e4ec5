// RMSNorm (arXiv:1910.07467) of the input, in every workgroup again: cheaper than a dispatch of its own.
// The factor 1/rms leaves the sum, so the dot products need not wait for it.
#import shared/quant/k16
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> norm_weight: array<vec4f>;
override K: f32; // elements of a row
override EPS: f32;

var<private> x_base: u32 = 0u; // start of the row, in vec4f
var<private> sum_sq: f32 = 0.0; // of what this invocation read

fn input_begin(t: u32) {}

fn input4(i: u32) -> vec4f {
  let v = x[x_base + i];
  sum_sq += dot(v, v);
  return v * norm_weight[i];
}

fn input_scale(t: u32) -> f32 {
  return inverseSqrt(workgroup_sum(sum_sq, t) / K + EPS);
}
