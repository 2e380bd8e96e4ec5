// The gated delta rule in chunks (arXiv:2412.06464, section 3.3): what does not depend on states, of a chunk of a head's tokens. With
// unit q and k, b the sums of log decays over the chunk, and u the rows that the tokens add to the state, S += k u^T:
//   A[t][s] = beta_t e^(b_t - b_s) k_t . k_s  below the diagonal
//   u = (I + A)^-1 diag(beta) (v - e^b k . S)
//   o = (e^b q . S + P u) / sqrt(D),  P[t][s] = e^(b_t - b_s) q_t . k_s  up to the diagonal
// A workgroup leaves (I + A)^-1 diag(beta) and P / sqrt(D) of a chunk.
#import shared/batch
#import delta_net/heads
#import delta_net/gates
#import delta_net/chunk_rows
@group(0) @binding(2) var<storage, read_write> chunks: array<vec4f>; // (T, CHUNKS_STRIDE4)
@group(0) @binding(5) var<storage, read> mixed: array<vec4f>; // q, k and v after the convolution, (T, MIXED_STRIDE4)
@group(0) @binding(6) var<storage, read> batch: Batch;
override MIXED_STRIDE4: u32;

const WG = 64u;
const CC = DELTA_CHUNK * DELTA_CHUNK;
var<workgroup> kk: array<f32, CC>; // k_t . k_s, then A
var<workgroup> qk: array<f32, CC>;
var<workgroup> inverse: array<f32, CC>;
var<workgroup> log_decays: array<f32, DELTA_CHUNK>;
var<workgroup> sums: array<f32, DELTA_CHUNK>; // of log decays
var<workgroup> betas: array<f32, DELTA_CHUNK>;
var<workgroup> k_scales: array<f32, DELTA_CHUNK>;
var<workgroup> q_scales: array<f32, DELTA_CHUNK>;

fn vectors(part_at: u32, token: u32, d4: u32) -> mat4x4f {
  var m: mat4x4f;
  for (var i = 0u; i < 4u; i++) { m[i] = mixed[min(token + i, batch.n_rows - 1u) * MIXED_STRIDE4 + part_at + d4]; }
  return m;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let token0 = workgroup.y * DELTA_CHUNK;
  let n = min(DELTA_CHUNK, batch.n_rows - token0);
  let q_at = part(0u, head);
  let k_at = part(1u, head);
  if (t < DELTA_CHUNK) {
    let token = token0 + min(t, n - 1u);
    log_decays[t] = select(0.0, log_decay(token, head), t < n);
    betas[t] = select(0.0, beta(token, head), t < n);
    var k_k = 0.0;
    var q_q = 0.0;
    for (var d4 = 0u; d4 < D4; d4++) {
      let k = mixed[token * MIXED_STRIDE4 + k_at + d4];
      let q = mixed[token * MIXED_STRIDE4 + q_at + d4];
      k_k += dot(k, k);
      q_q += dot(q, q);
    }
    k_scales[t] = inverseSqrt(k_k + EPS);
    q_scales[t] = inverseSqrt(q_q + EPS) * inverseSqrt(f32(HEAD_DIM));
  }
  // Blocks of 4 x 4 up to the diagonal.
  for (var block = t; block < CC / 16u; block += WG) {
    let row = block / (DELTA_CHUNK / 4u) * 4u;
    let column = block % (DELTA_CHUNK / 4u) * 4u;
    if (column > row) { continue; }
    var k_k: mat4x4f;
    var q_k: mat4x4f;
    for (var d4 = 0u; d4 < D4; d4++) {
      let by_column = transpose(vectors(k_at, token0 + column, d4));
      let k = vectors(k_at, token0 + row, d4);
      let q = vectors(q_at, token0 + row, d4);
      for (var i = 0u; i < 4u; i++) {
        k_k[i] += by_column * k[i];
        q_k[i] += by_column * q[i];
      }
    }
    for (var i = 0u; i < 16u; i++) {
      let at = (row + i / 4u) * DELTA_CHUNK + column + i % 4u;
      kk[at] = k_k[i / 4u][i % 4u];
      qk[at] = q_k[i / 4u][i % 4u];
    }
  }
  workgroupBarrier();
  if (t < DELTA_CHUNK) {
    var sum = 0.0;
    for (var s = 0u; s <= t; s++) { sum += log_decays[s]; }
    sums[t] = sum;
  }
  workgroupBarrier();
  for (var at = t; at < CC; at += WG) {
    let row = at / DELTA_CHUNK;
    let column = at % DELTA_CHUNK;
    if (column > row) {
      qk[at] = 0.0;
      continue;
    }
    let scale = exp(sums[row] - sums[column]) * k_scales[column];
    kk[at] *= scale * k_scales[row] * betas[row];
    qk[at] *= scale * q_scales[row];
  }
  workgroupBarrier();
  // Forward substitution: an invocation has a column.
  if (t < DELTA_CHUNK) {
    for (var row = 0u; row < DELTA_CHUNK; row++) {
      var v = select(0.0, 1.0, row == t);
      for (var s = t; s < row; s++) { v -= kk[row * DELTA_CHUNK + s] * inverse[s * DELTA_CHUNK + t]; }
      inverse[row * DELTA_CHUNK + t] = v;
    }
  }
  workgroupBarrier();
  for (var i = t; i < n * ROW4; i += WG) {
    let row = i / ROW4;
    let c4 = i % ROW4;
    let at = row * DELTA_CHUNK + c4 % (DELTA_CHUNK / 4u) * 4u;
    var v = vec4f(exp(sums[row]), exp(sums[n - 1u] - sums[row]) * k_scales[row], k_scales[row], q_scales[row]);
    if (c4 < DELTA_CHUNK / 4u) {
      let s = c4 * 4u;
      v = vec4f(inverse[at], inverse[at + 1u], inverse[at + 2u], inverse[at + 3u]);
      v *= vec4f(betas[s], betas[s + 1u], betas[s + 2u], betas[s + 3u]);
    } else if (c4 < DELTA_CHUNK / 2u) {
      v = vec4f(qk[at], qk[at + 1u], qk[at + 2u], qk[at + 3u]);
    }
    chunks[row_at(token0 + row, head) + c4] = v;
  }
}
