// Attention of a batch (prefill), after rope_kv: y (T, N_HEAD * HEAD_DIM). A workgroup takes 16 tokens of one
// head and walks the keys 16 at a time with the online softmax of FlashAttention (arXiv:2205.14135).
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

const TILE = 16u;
const MAX_D4 = 64u; // HEAD_DIM up to 256
var<workgroup> scores: array<f32, TILE * TILE>;
const LOWEST = -1e30; // WGSL has no infinities

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let head_kv = head / (N_HEAD / N_HEAD_KV);
  let lane = t % TILE;
  let row = t / TILE;
  let n_tokens = state.n_tokens;
  let token0 = workgroup.y * TILE;
  let token = token0 + row;
  let q = min(token, n_tokens - 1u) * ROW_D4 + head * D4;
  let pos = state.pos + token;
  let last = state.pos + min(token0 + TILE, n_tokens) - 1u;
  let pos0 = state.pos + token0;
  let first = select(0u, pos0 + 1u - WINDOW, pos0 + 1u > WINDOW);

  var acc: array<vec4f, MAX_D4 / TILE>;
  var highest = LOWEST;
  var total = 0.0;
  for (var tile = first; tile <= last; tile += TILE) {
    let p = tile + lane;
    // Causal, inside the window.
    let live = p <= pos && pos - p < WINDOW && p <= last;
    var s = LOWEST;
    if (live) {
      let at = cache_at(head_kv, p);
      s = 0.0;
      for (var i = 0u; i < D4; i++) { s += dot(qkv[q + i], k_load(at + i)); }
      s = score(s);
    }
    scores[t] = s;
    workgroupBarrier();
    var top = highest;
    for (var i = 0u; i < TILE; i++) { top = max(top, scores[row * TILE + i]); }
    let keep = exp(highest - top);
    highest = top;
    workgroupBarrier();
    scores[t] = select(0.0, exp(s - top), live);
    workgroupBarrier();
    total *= keep;
    for (var c = 0u; c < MAX_D4 / TILE; c++) { acc[c] *= keep; }
    for (var i = 0u; i < min(TILE, last + 1u - tile); i++) {
      let w = scores[row * TILE + i];
      total += w;
      let at = cache_at(head_kv, tile + i);
      for (var c = 0u; c < MAX_D4 / TILE; c++) {
        let d4 = c * TILE + lane;
        if (d4 < D4) { acc[c] += w * v_load(at + d4); }
      }
    }
    workgroupBarrier();
  }
  if (token < n_tokens) {
    for (var c = 0u; c < MAX_D4 / TILE; c++) {
      let d4 = c * TILE + lane;
      if (d4 < D4) { y[token * (Y_STRIDE / 4u) + head * D4 + d4] = acc[c] / total; }
    }
  }
}
