// Attention of one token (decode): q and k are rotated, k and v put into the cache, and the cache up to here
// attended to. A workgroup takes a query head. A long cache is split over workgroups (flash-decoding): each leaves
// its part of the output, unnormalised, with its maximum and sum, and attention_merge puts the parts together. With
// one split the output is there at once. The values of a wide head are split over workgroups, too; each has all scores.
#import shared/batch
#import attention/heads
#import attention/qkv_row
#import attention/splits
#import shared/reduce/lanes
#import attention/score_scale
#import shared/reduce/workgroup_sum
#import shared/reduce/workgroup_max
#import attention/qk_norm/${QK_NORM}
#import attention/rope/${ROPE}
#import attention/kv/${KV}
#import attention/gate/${GATE}
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (N_HEAD, N_SPLIT, D4), then (N_HEAD, N_SPLIT) maxima and sums
@group(0) @binding(6) var<storage, read> batch: Batch;
override WINDOW: u32; // positions attended to
override SLICES: u32; // of the values; divides D4

override RUNS: u32 = WG / LANES;       // of invocations that read a key together
override SLICE_D4: u32 = D4 / SLICES;  // at most WG
override PARTS: u32 = WG / SLICE_D4;   // shares of a tile's positions in the weighted sum of values

var<workgroup> q: array<vec4f, D4>;
var<workgroup> k_new: array<vec4f, D4>;
var<workgroup> head_scales: array<f32, 2>;
var<workgroup> scores: array<f32, WG>; // of a tile of WG positions
var<workgroup> sums: array<vec4f, WG>;

const LOWEST = -1e30; // WGSL has no infinities
// What an invocation asks for before it needs it: values, and keys' vectors, two of each of four keys.
const AT_ONCE = 8u;

fn value(head_kv: u32, tile: u32, i: u32, n: u32, d4: u32) -> vec4f {
  if (i >= n) { return vec4f(0.0); }
  return v_load(cache_at(head_kv, tile + i) + d4);
}

fn key(head_kv: u32, tile: u32, i: u32, n: u32, d4: u32) -> vec4f {
  if (i >= n || d4 >= D4) { return vec4f(0.0); }
  return k_load(cache_at(head_kv, tile + i) + d4);
}

fn values(head_kv: u32, tile: u32, part: u32, n: u32, d4: u32) -> array<vec4f, AT_ONCE> {
  var v: array<vec4f, AT_ONCE>;
  for (var u = 0u; u < AT_ONCE; u++) { v[u] = value(head_kv, tile, part + u * PARTS, n, d4); }
  return v;
}

fn keys(head_kv: u32, tile: u32, i0: u32, n: u32, lane: u32) -> array<vec4f, AT_ONCE> {
  var k: array<vec4f, AT_ONCE>;
  for (var u = 0u; u < AT_ONCE; u++) { k[u] = key(head_kv, tile, i0 + u / 2u * RUNS, n, lane + u % 2u * LANES); }
  return k;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let split = workgroup.y;
  let slice = workgroup.z;
  let head_kv = head / (N_HEAD / N_HEAD_KV);
  let pos = batch.pos;
  let first = select(0u, pos + 1u - WINDOW, pos + 1u > WINDOW);
  let per_split = positions_per_split(pos + 1u - first);
  let begin = first + split * per_split;
  let end = min(begin + per_split, pos + 1u);
  if (begin > pos) { return; } // fewer splits are live than there are workgroups

  let lane = t % LANES;
  let run = t / LANES;
  let q_base = head * D4;
  let k_base = (N_HEAD + head_kv) * D4;
  let v_base = (N_HEAD + N_HEAD_KV + head_kv) * D4;
  // Four elements of the sum over every PARTS-th position.
  let part = t / SLICE_D4;
  let d4 = slice * SLICE_D4 + t % SLICE_D4;
  // The first keys and values are on their way while q is made.
  let cached_end = min(end, pos); // this token is not cached yet
  let n_first = min(WG, cached_end - begin);
  var k = keys(head_kv, begin, run, n_first, lane);
  var v = values(head_kv, begin, part, n_first, d4);
  // Rotation is linear: the norms' factors wait.
  for (var i = t; i < 2u * D4; i += WG) {
    if (i < D4) { q[i] = roped(pos, q_base, i); } else { k_new[i - D4] = roped(pos, k_base, i - D4); }
  }
  // Runs beyond the second do the same as it, for the barriers in it.
  let scale = head_scale(select(k_base, q_base, run == 0u), lane, t);
  if (lane == 0u && run < 2u) { head_scales[run] = scale; }
  workgroupBarrier();
  let q_scale = head_scales[0];
  let k_scale = head_scales[1];
  // One workgroup of a key-value head keeps the cache; the others use their own copy.
  if (end > pos && slice == 0u && head % (N_HEAD / N_HEAD_KV) == 0u) {
    let at = cache_at(head_kv, pos);
    for (var d4 = t * KV_UNIT; d4 < D4; d4 += WG * KV_UNIT) {
      var k: array<vec4f, KV_UNIT>;
      var v: array<vec4f, KV_UNIT>;
      for (var i = 0u; i < KV_UNIT; i++) {
        k[i] = k_new[d4 + i] * k_scale;
        v[i] = qkv[v_base + d4 + i];
      }
      k_store(at + d4, k);
      v_store(at + d4, v);
    }
  }

  var acc = vec4f(0.0);
  var total = 0.0;
  var highest = LOWEST;
  for (var tile = begin; tile < end; tile += WG) {
    let n = min(WG, end - tile);
    let n_cached = min(WG, cached_end - tile);
    // A run of LANES invocations reads four keys, mostly in two vectors each.
    for (var first_i = 0u; first_i < n_cached; first_i += 4u * RUNS) {
      let i0 = first_i + run;
      let q0 = q[min(lane, D4 - 1u)];
      let q1 = q[min(lane + LANES, D4 - 1u)];
      var s = vec4f(dot(q0, k[0]) + dot(q1, k[1]), dot(q0, k[2]) + dot(q1, k[3]), dot(q0, k[4]) + dot(q1, k[5]), dot(q0, k[6]) + dot(q1, k[7]));
      k = keys(head_kv, tile, i0 + 4u * RUNS, n_cached, lane);
      for (var c = lane + 2u * LANES; c < D4; c += LANES) {
        for (var u = 0u; u < 4u; u++) { s[u] += dot(q[c], key(head_kv, tile, i0 + u * RUNS, n_cached, c)); }
      }
      s = lanes_sum4(s, t) * q_scale;
      if (lane < 4u && i0 + lane * RUNS < n_cached) { scores[i0 + lane * RUNS] = score(s[lane]); }
    }
    if (n_cached < n) {
      var s = 0.0;
      for (var c = lane; c < D4; c += LANES) { s += dot(q[c], k_new[c]); }
      s = lanes_sum(s, t);
      if (t == 0u) { scores[n_cached] = score(s * q_scale * k_scale); }
    }
    workgroupBarrier();
    let s = select(LOWEST, scores[t], t < n);
    let top = max(highest, workgroup_max(s, t));
    let e = select(0.0, exp(s - top), t < n);
    scores[t] = e;
    let keep = exp(highest - top);
    highest = top;
    total = total * keep + workgroup_sum(e, t);
    acc *= keep;
    if (part < PARTS) {
      for (var i0 = part; i0 < n_cached; i0 += AT_ONCE * PARTS) {
        for (var u = 0u; u < AT_ONCE; u++) {
          let i = i0 + u * PARTS;
          acc += select(0.0, scores[min(i, WG - 1u)], i < n_cached) * v[u];
          v[u] = value(head_kv, tile, i + AT_ONCE * PARTS, n_cached, d4);
        }
      }
      if (part == 0u && n_cached < n) { acc += scores[n_cached] * qkv[v_base + d4]; }
    }
    if (tile + WG < end) {
      let n_next = min(WG, cached_end - (tile + WG));
      k = keys(head_kv, tile + WG, run, n_next, lane);
      v = values(head_kv, tile + WG, part, n_next, d4);
    }
    workgroupBarrier();
  }
  sums[t] = acc;
  workgroupBarrier();
  if (part == 0u) {
    for (var i = 1u; i < PARTS; i++) { acc += sums[t + i * SLICE_D4]; }
    let at = head * N_SPLIT + split;
    if (N_SPLIT == 1u) {
      y[at * D4 + d4] = gated(acc / total, 0u, head, d4);
    } else {
      y[at * D4 + d4] = acc;
      if (d4 == 0u) { y[N_HEAD * N_SPLIT * D4 + at] = vec4f(highest, total, 0.0, 0.0); }
    }
  }
}
