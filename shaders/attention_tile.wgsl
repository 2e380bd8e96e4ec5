// Attention of a batch (prefill), after rope_kv: y (T, N_HEAD * HEAD_DIM). A workgroup takes 16 tokens of one
// head and walks the keys 64 at a time with the online softmax of FlashAttention (arXiv:2205.14135).
#import shared/state
#import shared/heads
#import shared/qkv_row
#import shared/scores
#import kv/${KV}
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(6) var<storage, read> state: State;
override WINDOW: u32;   // positions attended to
override Y_STRIDE: u32; // elements of a row of y

const WG = 256u;
const TOKENS = 16u;
const KEYS = 64u;
const CHUNK = 8u; // vec4 of queries and keys that are staged at a time
const PITCH = 9u; // one more keeps neighbours off each other's banks
const ROWS = 4u;  // tokens whose values an invocation sums: D4 * TOKENS / ROWS are at most WG
override PARTS: u32 = WG / (D4 * (TOKENS / ROWS)); // shares of the keys in the sum of values
var<workgroup> q_chunk: array<vec4f, TOKENS * PITCH>;
var<workgroup> k_chunk: array<vec4f, KEYS * PITCH>; // and scratch
var<workgroup> weights: array<f32, KEYS * TOKENS>;
var<workgroup> keeps: array<f32, TOKENS>;
const LOWEST = -1e30; // WGSL has no infinities

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let head_kv = head / (N_HEAD / N_HEAD_KV);
  let n_tokens = state.n_tokens;
  let token0 = workgroup.y * TOKENS;
  let last = state.pos + min(token0 + TOKENS, n_tokens) - 1u;
  let pos0 = state.pos + token0;
  let first = select(0u, pos0 + 1u - WINDOW, pos0 + 1u > WINDOW);

  // Of the scores, this invocation has those of one token and every 16th key ...
  let row = t / 16u;
  let lane = t % 16u;
  let pos = pos0 + row;
  var highest = LOWEST;
  var total = 0.0;
  // ... and of the output, four elements of ROWS tokens, over every PARTS-th key.
  let d4 = t % D4;
  let row0 = t / D4 % (TOKENS / ROWS) * ROWS;
  let part = t / (D4 * (TOKENS / ROWS));
  var acc: array<vec4f, ROWS>;
  for (var tile = first; tile <= last; tile += KEYS) {
    var s = vec4f(0.0);
    for (var c0 = 0u; c0 < D4; c0 += CHUNK) {
      let c = c0 + t % CHUNK;
      if (t < TOKENS * CHUNK) {
        let token = min(token0 + t / CHUNK, n_tokens - 1u);
        q_chunk[t / CHUNK * PITCH + t % CHUNK] = select(vec4f(0.0), qkv[token * ROW_D4 + head * D4 + min(c, D4 - 1u)], c < D4);
      }
      for (var i = t / CHUNK; i < KEYS; i += WG / CHUNK) {
        k_chunk[i * PITCH + t % CHUNK] = k_load(cache_at(head_kv, min(tile + i, last)) + min(c, D4 - 1u));
      }
      workgroupBarrier();
      for (var c = 0u; c < CHUNK; c++) {
        let q = q_chunk[row * PITCH + c];
        s += vec4f(
          dot(q, k_chunk[lane * PITCH + c]), dot(q, k_chunk[(lane + 16u) * PITCH + c]),
          dot(q, k_chunk[(lane + 32u) * PITCH + c]), dot(q, k_chunk[(lane + 48u) * PITCH + c]));
      }
      workgroupBarrier();
    }
    // Causal, inside the window.
    let p = vec4u(tile + lane) + vec4u(0u, 16u, 32u, 48u);
    let live = (p <= vec4u(min(pos, last))) & (vec4u(pos) - p < vec4u(WINDOW));
    s = select(vec4f(LOWEST), vec4f(score(s.x), score(s.y), score(s.z), score(s.w)), live);
    k_chunk[t] = s;
    workgroupBarrier();
    var m = vec4f(highest);
    for (var i = 0u; i < 16u; i++) { m = max(m, k_chunk[row * 16u + i]); }
    let top = max(max(m.x, m.y), max(m.z, m.w));
    let keep = exp(highest - top);
    highest = top;
    let e = select(vec4f(0.0), exp(s - vec4f(top)), live);
    total = total * keep + dot(e, vec4f(1.0));
    for (var i = 0u; i < 4u; i++) { weights[(lane + 16u * i) * TOKENS + row] = e[i]; }
    if (lane == 0u) { keeps[row] = keep; }
    workgroupBarrier();
    if (part < PARTS) {
      for (var r = 0u; r < ROWS; r++) { acc[r] *= keeps[row0 + r]; }
      for (var i = part; i < min(KEYS, last + 1u - tile); i += PARTS) {
        let v = v_load(cache_at(head_kv, tile + i) + d4);
        for (var r = 0u; r < ROWS; r++) { acc[r] += weights[i * TOKENS + row0 + r] * v; }
      }
    }
    workgroupBarrier();
  }
  weights[t] = total;
  workgroupBarrier();
  // Rows are put together one after the other: scratch holds one of each invocation's.
  for (var r = 0u; r < ROWS; r++) {
    k_chunk[t] = acc[r];
    workgroupBarrier();
    let token = token0 + row0 + r;
    if (part == 0u && token < n_tokens) {
      var sum = vec4f(0.0);
      for (var i = 0u; i < PARTS; i++) { sum += k_chunk[t + i * D4 * (TOKENS / ROWS)]; }
      var z = 0.0;
      for (var i = 0u; i < 16u; i++) { z += weights[(row0 + r) * 16u + i]; }
      y[token * (Y_STRIDE / 4u) + head * D4 + d4] = sum / z;
    }
    workgroupBarrier();
  }
}
