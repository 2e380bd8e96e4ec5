// The gated delta rule over a batch, a chunk after the other, with what delta_net/chunk left of each; its header has the equations. A
// workgroup has SCAN_VALUES4 vectors of a head's values. An invocation holds 16 keys of four values of the state; the LANES
// invocations of a run have all keys of them.
#import shared/batch
#import delta_net/heads
#import delta_net/chunk_rows
@group(0) @binding(2) var<storage, read> chunks: array<vec4f>; // (T, CHUNKS_STRIDE4)
@group(0) @binding(3) var<storage, read_write> delta_state: array<vec4f>; // (N_V, HEAD_DIM keys, D4)
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (T, Y_STRIDE4)
@group(0) @binding(5) var<storage, read> mixed: array<vec4f>; // q, k and v after the convolution, (T, MIXED_STRIDE4)
@group(0) @binding(6) var<storage, read> batch: Batch;
override MIXED_STRIDE4: u32;
override Y_STRIDE4: u32;

const SCAN_VALUES4 = 8u; // runs
const SCAN_KEYS = 16u; // of an invocation
const PIECE = DELTA_CHUNK * SCAN_VALUES4; // vectors of a workgroup's values in a chunk
const AT_ONCE = 4u; // tokens whose products with the state are summed up at a time
override LANES: u32 = HEAD_DIM / SCAN_KEYS;
override WG: u32 = SCAN_VALUES4 * LANES;
override PARTIAL: u32 = 2u * AT_ONCE * WG;
override SHARED: u32 = max(PARTIAL, PIECE);
var<workgroup> partial: array<vec4f, SHARED>; // of each invocation: k . S and q . S; then u
var<workgroup> rest: array<vec4f, PIECE>; // v - e^b k . S
var<workgroup> kept: array<vec4f, PIECE>; // e^b q . S / sqrt(D)

fn load(at: u32) -> mat4x4f {
  return mat4x4f(delta_state[at], delta_state[at + D4], delta_state[at + 2u * D4], delta_state[at + 3u * D4]);
}

fn store(at: u32, s: mat4x4f) {
  delta_state[at] = s[0];
  delta_state[at + D4] = s[1];
  delta_state[at + 2u * D4] = s[2];
  delta_state[at + 3u * D4] = s[3];
}

fn sixteen(at: u32) -> mat4x4f {
  return mat4x4f(mixed[at], mixed[at + 1u], mixed[at + 2u], mixed[at + 3u]);
}

fn outer(v: vec4f, k: vec4f) -> mat4x4f {
  return mat4x4f(v * k.x, v * k.y, v * k.z, v * k.w);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let first4 = workgroup.y * SCAN_VALUES4;
  let lane = t % LANES;
  let run = t / LANES;
  let at = (head * HEAD_DIM + lane * SCAN_KEYS) * D4 + min(first4 + run, D4 - 1u);
  var s0 = load(at);
  var s1 = load(at + 4u * D4);
  var s2 = load(at + 8u * D4);
  var s3 = load(at + 12u * D4);
  let q_at = part(0u, head) + lane * 4u;
  let k_at = part(1u, head) + lane * 4u;
  let v_at = part(2u, head) + first4;
  for (var token0 = 0u; token0 < batch.n_rows; token0 += DELTA_CHUNK) {
    let n = min(DELTA_CHUNK, batch.n_rows - token0);
    for (var i0 = 0u; i0 < n; i0 += AT_ONCE) {
      for (var i = 0u; i < AT_ONCE; i++) {
        let row = min(token0 + i0 + i, batch.n_rows - 1u) * MIXED_STRIDE4;
        let k = sixteen(row + k_at);
        let q = sixteen(row + q_at);
        partial[2u * i * WG + t] = s0 * k[0] + s1 * k[1] + s2 * k[2] + s3 * k[3];
        partial[(2u * i + 1u) * WG + t] = s0 * q[0] + s1 * q[1] + s2 * q[2] + s3 * q[3];
      }
      workgroupBarrier();
      for (var i = t; i < 2u * AT_ONCE * SCAN_VALUES4; i += WG) {
        let which = i / SCAN_VALUES4;
        let v4 = i % SCAN_VALUES4;
        let token = i0 + which / 2u;
        if (token >= n) { continue; }
        var sum = vec4f(0.0);
        for (var l = 0u; l < LANES; l++) { sum += partial[which * WG + v4 * LANES + l]; }
        let scales = chunks[row_at(token0 + token, head) + ROW4 - 1u];
        if (which % 2u == 0u) {
          let v = mixed[(token0 + token) * MIXED_STRIDE4 + min(v_at + v4, C4 - 1u)];
          rest[token * SCAN_VALUES4 + v4] = v - sum * (scales.x * scales.z);
        } else {
          kept[token * SCAN_VALUES4 + v4] = sum * (scales.x * scales.w);
        }
      }
      workgroupBarrier();
    }
    for (var i = t; i < n * SCAN_VALUES4; i += WG) {
      let token = i / SCAN_VALUES4;
      let row = row_at(token0 + token, head);
      var sum = vec4f(0.0);
      for (var s = 0u; s <= token; s++) { sum += chunks[row + s / 4u][s % 4u] * rest[s * SCAN_VALUES4 + i % SCAN_VALUES4]; }
      partial[i] = sum;
    }
    workgroupBarrier();
    for (var i = t; i < n * SCAN_VALUES4; i += WG) {
      let token = i / SCAN_VALUES4;
      let v4 = i % SCAN_VALUES4;
      let row = row_at(token0 + token, head) + DELTA_CHUNK / 4u;
      var sum = kept[i];
      for (var s = 0u; s <= token; s++) { sum += chunks[row + s / 4u][s % 4u] * partial[s * SCAN_VALUES4 + v4]; }
      if (first4 + v4 < D4) { y[(token0 + token) * Y_STRIDE4 + head * D4 + first4 + v4] = sum; }
    }
    let keep = chunks[row_at(token0 + n - 1u, head) + ROW4 - 1u].x;
    s0 *= keep;
    s1 *= keep;
    s2 *= keep;
    s3 *= keep;
    for (var i = 0u; i < n; i++) {
      let k = sixteen((token0 + i) * MIXED_STRIDE4 + k_at);
      let v = partial[i * SCAN_VALUES4 + run] * chunks[row_at(token0 + i, head) + ROW4 - 1u].y;
      s0 += outer(v, k[0]);
      s1 += outer(v, k[1]);
      s2 += outer(v, k[2]);
      s3 += outer(v, k[3]);
    }
    workgroupBarrier();
  }
  if (first4 + run >= D4) { return; }
  store(at, s0);
  store(at + 4u * D4, s1);
  store(at + 8u * D4, s2);
  store(at + 12u * D4, s3);
}
