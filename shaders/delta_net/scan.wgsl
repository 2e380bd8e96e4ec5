// The gated delta rule (arXiv:2412.06464) over the tokens of a batch, one after the other. Of a head's state S (keys, values), with
// unit q and k:
//   S = decay S;  S += k (beta (v - S^T k))^T;  o = S^T q / sqrt(D)
// An invocation holds 16 keys of four values; the LANES invocations of a run have all keys of them.
#import shared/batch
#import delta_net/heads
#import delta_net/gates
@group(0) @binding(3) var<storage, read_write> delta_state: array<vec4f>; // (N_V, HEAD_DIM keys, D4)
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (T, Y_STRIDE4)
@group(0) @binding(5) var<storage, read> mixed: array<vec4f>; // q, k and v after the convolution, (T, C4)
@group(0) @binding(6) var<storage, read> batch: Batch;
override MIXED_STRIDE4: u32;
override Y_STRIDE4: u32;

const SCAN_WG = 64u;
const SCAN_KEYS = 16u; // of an invocation
override LANES: u32 = HEAD_DIM / SCAN_KEYS;
override RUNS: u32 = SCAN_WG / LANES;
// What each invocation has of S^T k, S^T q and (k k, k q, q q), of two tokens in turn: with one barrier a token.
var<workgroup> shares: array<mat3x4f, 2u * SCAN_WG>;

fn plus_outer(s: mat4x4f, decay: f32, v: vec4f, k: vec4f) -> mat4x4f {
  return s * decay + mat4x4f(v * k.x, v * k.y, v * k.z, v * k.w);
}

fn load(at: u32) -> mat4x4f {
  return mat4x4f(delta_state[at], delta_state[at + D4], delta_state[at + 2u * D4], delta_state[at + 3u * D4]);
}

fn store(at: u32, s: mat4x4f) {
  delta_state[at] = s[0];
  delta_state[at + D4] = s[1];
  delta_state[at + 2u * D4] = s[2];
  delta_state[at + 3u * D4] = s[3];
}

@compute @workgroup_size(SCAN_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let lane = t % LANES;
  let d4 = workgroup.y * RUNS + t / LANES;
  let live = t < RUNS * LANES && d4 < D4;
  let v4 = min(d4, D4 - 1u);
  let at = (head * HEAD_DIM + lane * SCAN_KEYS) * D4 + v4;
  var s0 = load(at);
  var s1 = load(at + 4u * D4);
  var s2 = load(at + 8u * D4);
  var s3 = load(at + 12u * D4);
  let q_at = part(0u, head) + lane * 4u;
  let k_at = part(1u, head) + lane * 4u;
  let v_at = part(2u, head) + v4;
  for (var token = 0u; token < batch.n_rows; token++) {
    let row = token * MIXED_STRIDE4;
    let q = mat4x4f(mixed[row + q_at], mixed[row + q_at + 1u], mixed[row + q_at + 2u], mixed[row + q_at + 3u]);
    let k = mat4x4f(mixed[row + k_at], mixed[row + k_at + 1u], mixed[row + k_at + 2u], mixed[row + k_at + 3u]);
    let kk = dot(k[0], k[0]) + dot(k[1], k[1]) + dot(k[2], k[2]) + dot(k[3], k[3]);
    let kq = dot(k[0], q[0]) + dot(k[1], q[1]) + dot(k[2], q[2]) + dot(k[3], q[3]);
    let qq = dot(q[0], q[0]) + dot(q[1], q[1]) + dot(q[2], q[2]) + dot(q[3], q[3]);
    let s_k = s0 * k[0] + s1 * k[1] + s2 * k[2] + s3 * k[3];
    let s_q = s0 * q[0] + s1 * q[1] + s2 * q[2] + s3 * q[3];
    let turn = token % 2u * SCAN_WG;
    shares[turn + t] = mat3x4f(s_k, s_q, vec4f(kk, kq, qq, 0.0));
    workgroupBarrier();
    var sum = shares[turn + t - lane];
    for (var i = 1u; i < LANES; i++) { sum += shares[turn + t - lane + i]; }
    let keep = decay(token, head);
    let k_scale = inverseSqrt(sum[2].x + EPS);
    let q_scale = inverseSqrt(sum[2].z + EPS) * inverseSqrt(f32(HEAD_DIM));
    // S^T q after the update, of S^T q before it.
    let delta = beta(token, head) * (mixed[row + v_at] - sum[0] * (keep * k_scale));
    let o = sum[1] * (keep * q_scale) + delta * (sum[2].y * k_scale * q_scale);
    if (live && lane == 0u) { y[token * Y_STRIDE4 + head * D4 + d4] = o; }
    let v = delta * k_scale;
    s0 = plus_outer(s0, keep, v, k[0]);
    s1 = plus_outer(s1, keep, v, k[1]);
    s2 = plus_outer(s2, keep, v, k[2]);
    s3 = plus_outer(s3, keep, v, k[3]);
  }
  if (!live) { return; }
  store(at, s0);
  store(at + 4u * D4, s1);
  store(at + 8u * D4, s2);
  store(at + 12u * D4, s3);
}
