// A gated delta net (arXiv:2412.06464) of one token (decode): convolution, norms of q and k, the delta rule, and the norm and the
// gate of what is read. A workgroup has a head, and goes over its state twice: the update needs what the state has for k.
#import delta_net/heads
#import delta_net/gates
#import delta_net/columns
#import short_conv/sum
#import delta_net/keep
#import delta_net/output
#import shared/reduce/workgroup_sum
@group(0) @binding(3) var<storage, read_write> delta_state: array<vec4f>; // (N_V, HEAD_DIM keys, D4), and columns
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (1, N_V D4)
override PARTS: u32 = WG / D4; // shares of the keys
override QKV4: u32 = 3u * D4;
var<workgroup> qkv: array<vec4f, QKV4>;
var<workgroup> sums: array<mat2x4f, WG>; // of S^T k and S^T q

fn past(pos: u32, i: u32) -> vec4f {
  return delta_state[column_at(pos, i)];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  for (var i = t; i < QKV4; i += WG) {
    let v = causal_sum(0u, part(i / D4, head) + i % D4);
    qkv[i] = silu4(v);
  }
  workgroupBarrier();
  let d4 = t % D4;
  let share = t / D4;
  let first = share == 0u;
  let q4 = qkv[d4];
  let k4 = qkv[D4 + d4];
  let q_scale = inverseSqrt(workgroup_sum(select(0.0, dot(q4, q4), first), t) + EPS) * inverseSqrt(f32(HEAD_DIM));
  let k_scale = inverseSqrt(workgroup_sum(select(0.0, dot(k4, k4), first), t) + EPS);
  let k_q = workgroup_sum(select(0.0, dot(k4, q4), first), t);
  let at = head * HEAD_DIM * D4 + d4;
  var sum = mat2x4f();
  if (share < PARTS) {
    for (var i = share; i < HEAD_DIM; i += PARTS) {
      let s = delta_state[at + i * D4];
      sum += mat2x4f(s * qkv[D4 + i / 4u][i % 4u], s * qkv[i / 4u][i % 4u]);
    }
  }
  sums[t] = sum;
  workgroupBarrier();
  sum = sums[d4];
  for (var i = 1u; i < PARTS; i++) { sum += sums[d4 + i * D4]; }
  let keep = exp(log_decay(0u, head));
  let delta = beta(0u, head) * (qkv[2u * D4 + d4] - sum[0] * (keep * k_scale));
  if (share < PARTS) {
    for (var i = share; i < HEAD_DIM; i += PARTS) {
      delta_state[at + i * D4] = delta_state[at + i * D4] * keep + delta * (k_scale * qkv[D4 + i / 4u][i % 4u]);
    }
  }
  // S^T q after the update, of S^T q before it.
  let o = sum[1] * (keep * q_scale) + delta * (k_q * k_scale * q_scale);
  let sum_sq = workgroup_sum(select(0.0, dot(o, o), first), t);
  if (!first) { return; }
  y[head * D4 + d4] = gated(o, sum_sq, 0u, head, d4);
  keep_columns(0u, head, d4);
}
