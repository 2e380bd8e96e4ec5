// RMSNorm of every query and key head by itself (arXiv:2302.05442).
#import attention/qkv_row
@group(0) @binding(5) var<storage, read> q_norm: array<vec4f>;
@group(0) @binding(7) var<storage, read> k_norm: array<vec4f>;
override QK_EPS: f32;

// The norm's factor, for all LANES invocations of a head.
fn head_scale(base: u32, lane: u32, t: u32) -> f32 {
  var sum_sq = 0.0;
  for (var d4 = lane; d4 < D4; d4 += LANES) { sum_sq += dot(qkv[base + d4], qkv[base + d4]); }
  return inverseSqrt(lanes_sum(sum_sq, t) / f32(HEAD_DIM) + QK_EPS);
}

fn norm_weight(base: u32, d4: u32) -> vec4f {
  if (base % ROW_D4 < N_HEAD * D4) { return q_norm[d4]; }
  return k_norm[d4];
}
