// Attention of a batch, after rope_kv where there is a cache: y (T, N_HEAD * HEAD_DIM). A workgroup takes 16 tokens of one
// head and walks the keys 64 at a time with the online softmax of FlashAttention (arXiv:2205.14135).
#import attention/heads
#import attention/qkv_row
#import attention/score_scale
#import attention/kv/${KV}
#import attention/span/${SPAN}
#import attention/gate/${GATE}
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override Y_STRIDE: u32; // elements of a row of y

const WG = 256u;
const TILE_TOKENS = 16u;
const KEYS = 64u;
const CHUNK = 8u; // vec4 of queries and keys that are staged at a time
const PITCH = 9u; // one more keeps neighbours off each other's banks
override PARTS: u32 = WG / (D4 * (TILE_TOKENS / 4u)); // shares of the keys in the sum of values
var<workgroup> q_chunk: array<vec4f, TILE_TOKENS * PITCH>;
var<workgroup> k_chunk: array<vec4f, KEYS * PITCH>; // and scratch
var<workgroup> weights: array<vec4f, KEYS * TILE_TOKENS / 4u>; // (keys, tokens), and totals
var<workgroup> keeps: array<vec4f, TILE_TOKENS / 4u>;
const LOWEST = -1e30; // WGSL has no infinities

// The tokens of a tile, from the first to the end, and the first and the last key that one of them may see.
struct Span {
  token0: u32,
  end: u32,
  first: u32,
  last: u32,
}

// What an invocation stages of a chunk: two keys, and a query where its index is that low.
struct Staged {
  k0: vec4f,
  k1: vec4f,
  q: vec4f,
}

fn ask(head: u32, at: Span, tile: u32, c0: u32, t: u32) -> Staged {
  let head_kv = head / (N_HEAD / N_HEAD_KV);
  let c = c0 + t % CHUNK;
  let d4 = min(c, D4 - 1u);
  let i = tile + t / CHUNK;
  var q = vec4f(0.0);
  if (t < TILE_TOKENS * CHUNK && c < D4) { q = qkv[min(at.token0 + t / CHUNK, at.end - 1u) * ROW_D4 + head * D4 + d4]; }
  return Staged(k_load(cache_at(head_kv, min(i, at.last)) + d4), k_load(cache_at(head_kv, min(i + WG / CHUNK, at.last)) + d4), q);
}

// What four tokens take of a key's values. They are columns of a matrix: an index that varies would keep them out of
// registers.
fn of_tokens(v: vec4f, i: u32, row4: u32) -> mat4x4f {
  let w = select(vec4f(0.0), weights[min(i, KEYS - 1u) * (TILE_TOKENS / 4u) + row4], i < KEYS);
  return mat4x4f(v * w.x, v * w.y, v * w.z, v * w.w);
}

// Put the shares of a token's sum together; scratch holds one of each invocation's.
fn put(at: Span, row: u32, share: vec4f, head: u32, t: u32) {
  workgroupBarrier();
  k_chunk[t] = share;
  workgroupBarrier();
  let token = at.token0 + row;
  if (t >= D4 * (TILE_TOKENS / 4u) || token >= at.end) { return; }
  var sum = vec4f(0.0);
  for (var i = 0u; i < PARTS; i++) { sum += k_chunk[t + i * D4 * (TILE_TOKENS / 4u)]; }
  var total = 0.0;
  for (var i = 0u; i < 16u; i++) { total += weights[row * 16u + i].x; }
  y[token * (Y_STRIDE / 4u) + head * D4 + t % D4] = gated(sum / total, token, head, t % D4);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let head_kv = head / (N_HEAD / N_HEAD_KV);
  let at = span(workgroup.y, TILE_TOKENS);
  if (at.token0 >= at.end) { return; }
  let last = at.last;

  // Of the scores, this invocation has those of one token and every 16th key ...
  let row = t / 16u;
  let lane = t % 16u;
  var highest = LOWEST;
  var total = 0.0;
  // ... and of the output, four elements of four tokens, over every PARTS-th key.
  let d4 = t % D4;
  let row4 = t / D4 % (TILE_TOKENS / 4u);
  let part = t / (D4 * (TILE_TOKENS / 4u));
  var acc: mat4x4f;
  var staged = ask(head, at, at.first, 0u, t);
  for (var tile = at.first; tile <= last; tile += KEYS) {
    var s = vec4f(0.0);
    for (var c0 = 0u; c0 < D4; c0 += CHUNK) {
      let to = t / CHUNK * PITCH + t % CHUNK;
      if (t < TILE_TOKENS * CHUNK) { q_chunk[to] = staged.q; }
      k_chunk[to] = staged.k0;
      k_chunk[to + WG / CHUNK * PITCH] = staged.k1;
      workgroupBarrier();
      // The next is on its way while this is used.
      let more = c0 + CHUNK < D4;
      staged = ask(head, at, select(tile + KEYS, tile, more), select(0u, c0 + CHUNK, more), t);
      for (var c = 0u; c < CHUNK; c++) {
        let q = q_chunk[row * PITCH + c];
        s += vec4f(
          dot(q, k_chunk[lane * PITCH + c]), dot(q, k_chunk[(lane + 16u) * PITCH + c]),
          dot(q, k_chunk[(lane + 32u) * PITCH + c]), dot(q, k_chunk[(lane + 48u) * PITCH + c]));
      }
      workgroupBarrier();
    }
    let live = sees(at.token0 + row, last, vec4u(tile + lane) + vec4u(0u, 16u, 32u, 48u));
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
    for (var i = 0u; i < 4u; i++) { weights[(lane + 16u * i) * (TILE_TOKENS / 4u) + row / 4u][row % 4u] = e[i]; }
    if (lane == 0u) { keeps[row / 4u][row % 4u] = keep; }
    workgroupBarrier();
    if (part < PARTS) {
      let keep = keeps[row4];
      acc = mat4x4f(acc[0] * keep.x, acc[1] * keep.y, acc[2] * keep.z, acc[3] * keep.w);
      // Four values are asked for at a time.
      for (var i = part; i < min(KEYS, last + 1u - tile); i += 4u * PARTS) {
        let v0 = v_load(cache_at(head_kv, min(tile + i, last)) + d4);
        let v1 = v_load(cache_at(head_kv, min(tile + i + PARTS, last)) + d4);
        let v2 = v_load(cache_at(head_kv, min(tile + i + 2u * PARTS, last)) + d4);
        let v3 = v_load(cache_at(head_kv, min(tile + i + 3u * PARTS, last)) + d4);
        acc += of_tokens(v0, i, row4) + of_tokens(v1, i + PARTS, row4);
        acc += of_tokens(v2, i + 2u * PARTS, row4) + of_tokens(v3, i + 3u * PARTS, row4);
      }
    }
    workgroupBarrier();
  }
  weights[t].x = total;
  put(at, row4 * 4u, acc[0], head, t);
  put(at, row4 * 4u + 1u, acc[1], head, t);
  put(at, row4 * 4u + 2u, acc[2], head, t);
  put(at, row4 * 4u + 3u, acc[3], head, t);
}
