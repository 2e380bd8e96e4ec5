// RMSNorm of all query heads of a token together, and of all key heads.
#import attention/qkv_row
@group(0) @binding(5) var<storage, read> q_norm: array<vec4f>;
@group(0) @binding(7) var<storage, read> k_norm: array<vec4f>;
override QK_EPS: f32;

// The norm's factor, for all LANES invocations of a head.
fn head_scale(base: u32, lane: u32, t: u32) -> f32 {
  let row = base - base % ROW_D4;
  let is_q = base - row < N_HEAD * D4;
  let start = row + select(N_HEAD * D4, 0u, is_q);
  let n = select(N_HEAD_KV, N_HEAD, is_q) * D4;
  var sum_sq = 0.0;
  for (var i = lane; i < n; i += LANES) { sum_sq += dot(qkv[start + i], qkv[start + i]); }
  return inverseSqrt(lanes_sum(sum_sq, t) / f32(n * 4u) + QK_EPS);
}

fn head_value(base: u32, d4: u32) -> vec4f {
  let at = base % ROW_D4;
  if (at < N_HEAD * D4) { return qkv[base + d4] * q_norm[at + d4]; }
  return qkv[base + d4] * k_norm[at - N_HEAD * D4 + d4];
}
