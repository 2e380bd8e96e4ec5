// Attention of one token (decode): q and k are rotated, k and v put into the cache, and the cache up to here
// attended to. A workgroup takes GROUP query heads of one key-value head. A long cache is split over workgroups
// (flash-decoding): each leaves its part of the output, unnormalised, with its maximum and sum, and
// attention_merge puts the parts together. With one split the output is there at once.
#import shared/state
#import shared/heads
#import shared/splits
#import shared/lanes
#import shared/scores
#import qk_norm/${QK_NORM}
#import rope/${ROPE}
#import kv/${KV}
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (N_HEAD, N_SPLIT, D4), then (N_HEAD, N_SPLIT) maxima and sums
@group(0) @binding(6) var<storage, read> state: State;
override WINDOW: u32; // positions attended to
override GROUP: u32;  // divides N_HEAD / N_HEAD_KV

override TILE: u32;                      // positions at a time, a multiple of LANES; GROUP * TILE is at most WG
override SLOTS: u32 = WG / LANES;        // runs of LANES invocations
override RUNS: u32 = TILE / LANES;       // of which a head's scores take
override PARTS: u32 = WG / (GROUP * D4); // shares of a tile's positions in the weighted sum of values
override Q4: u32 = GROUP * D4;

var<workgroup> q: array<vec4f, Q4>;
var<workgroup> k_new: array<vec4f, D4>;
var<workgroup> scores: array<f32, WG>; // (GROUP, TILE)
var<workgroup> run_max: array<f32, SLOTS>;
var<workgroup> run_sum: array<f32, SLOTS>;
var<workgroup> sums: array<vec4f, WG>;

const LOWEST = -1e30; // WGSL has no infinities

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head0 = workgroup.x * GROUP;
  let head_kv = head0 / (N_HEAD / N_HEAD_KV);
  let split = workgroup.y;
  let pos = state.pos;
  let first = select(0u, pos + 1u - WINDOW, pos + 1u > WINDOW);
  let per_split = positions_per_split(pos + 1u - first);
  let begin = first + split * per_split;
  let end = min(begin + per_split, pos + 1u);
  if (begin > pos) { return; } // fewer splits are live than there are workgroups
  let has_new = end > pos;

  let lane = t % LANES;
  let run = t / LANES;
  for (var h0 = 0u; h0 <= GROUP; h0 += SLOTS) {
    let h = min(h0 + run, GROUP); // beyond the last head: k again, with the same result
    let is_q = h < GROUP;
    let base = select((N_HEAD + head_kv) * D4, (head0 + h) * D4, is_q);
    let scale = head_scale(base, lane, t);
    for (var d4 = lane; d4 < D4; d4 += LANES) {
      let v = roped(pos, base, d4, scale);
      if (is_q) { q[h * D4 + d4] = v; } else { k_new[d4] = v; }
    }
  }
  workgroupBarrier();
  // The first workgroup of a key-value head keeps the cache; the others use their own copy.
  if (has_new && head0 % (N_HEAD / N_HEAD_KV) == 0u) {
    let at = cache_at(head_kv, pos);
    for (var d4 = t * KV_UNIT; d4 < D4; d4 += WG * KV_UNIT) {
      var k: array<vec4f, KV_UNIT>;
      var v: array<vec4f, KV_UNIT>;
      for (var i = 0u; i < KV_UNIT; i++) {
        k[i] = k_new[d4 + i];
        v[i] = qkv[(N_HEAD + N_HEAD_KV + head_kv) * D4 + d4 + i];
      }
      k_store(at + d4, k);
      v_store(at + d4, v);
    }
  }

  // Behind a tile's scores, this invocation has one of them ...
  let score_head = t / TILE;
  // ... and four elements of one head's sum over every PARTS-th position.
  let sum_head = t / (D4 * PARTS);
  let part = (t / D4) % PARTS;
  let d4 = t % D4;
  var acc = vec4f(0.0);
  var total = 0.0;
  var highest = LOWEST;
  for (var tile = begin; tile < end; tile += TILE) {
    // A run of LANES invocations reads a key together and scores it for all heads.
    for (var i0 = 0u; i0 < TILE; i0 += SLOTS) {
      let i = min(i0 + run, TILE - 1u);
      let p = tile + i;
      let at = cache_at(head_kv, min(p, end - 1u));
      for (var g = 0u; g < GROUP; g++) {
        var s = 0.0;
        for (var c = lane; c < D4; c += LANES) {
          if (p == pos) { s += dot(q[g * D4 + c], k_new[c]); } else { s += dot(q[g * D4 + c], k_load(at + c)); }
        }
        s = lanes_sum(s, t);
        if (lane == 0u) { scores[g * TILE + i] = score(s); }
      }
    }
    workgroupBarrier();
    let live = score_head < GROUP && tile + t % TILE < end;
    let s = select(LOWEST, scores[t], live);
    let m = lanes_max(s, t);
    if (lane == 0u) { run_max[run] = m; }
    workgroupBarrier();
    var tile_max = LOWEST;
    for (var r = 0u; r < RUNS; r++) { tile_max = max(tile_max, run_max[min(score_head, GROUP - 1u) * RUNS + r]); }
    // Relative to this tile's maximum; the sums rescale between tiles.
    let e = select(0.0, exp(s - tile_max), live);
    scores[t] = e;
    let z = lanes_sum(e, t);
    if (lane == 0u) { run_sum[run] = z; }
    workgroupBarrier();
    if (sum_head < GROUP) {
      var tile_sum = 0.0;
      var sum_max = LOWEST;
      for (var r = 0u; r < RUNS; r++) {
        tile_sum += run_sum[sum_head * RUNS + r];
        sum_max = max(sum_max, run_max[sum_head * RUNS + r]);
      }
      let top = max(highest, sum_max);
      let keep = exp(highest - top);
      let gain = exp(sum_max - top);
      highest = top;
      total = total * keep + tile_sum * gain;
      acc *= keep;
      for (var i = part; i < min(TILE, end - tile); i += PARTS) {
        let w = scores[sum_head * TILE + i] * gain;
        if (tile + i == pos) {
          acc += w * qkv[(N_HEAD + N_HEAD_KV + head_kv) * D4 + d4];
        } else {
          acc += w * v_load(cache_at(head_kv, tile + i) + d4);
        }
      }
    }
    workgroupBarrier();
  }
  sums[t] = acc;
  workgroupBarrier();
  if (sum_head < GROUP && part == 0u) {
    for (var i = 1u; i < PARTS; i++) { acc += sums[t + i * D4]; }
    let at = (head0 + sum_head) * N_SPLIT + split;
    if (N_SPLIT == 1u) {
      y[at * D4 + d4] = acc / total;
    } else {
      y[at * D4 + d4] = acc;
      if (d4 == 0u) { y[N_HEAD * N_SPLIT * D4 + at] = vec4f(highest, total, 0.0, 0.0); }
    }
  }
}
