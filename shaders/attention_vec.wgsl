// Attention of one token (decode): q and k are rotated, k and v put into the cache, and the cache up to here
// attended to. A workgroup takes a query head. A long cache is split over workgroups (flash-decoding): each leaves
// its part of the output, unnormalised, with its maximum and sum, and attention_merge puts the parts together. With
// one split the output is there at once. The values of a wide head are split over workgroups, too; each has all scores.
#import shared/state
#import shared/heads
#import shared/splits
#import shared/lanes
#import shared/scores
#import shared/workgroup_sum
#import shared/workgroup_max
#import qk_norm/${QK_NORM}
#import rope/${ROPE}
#import kv/${KV}
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (N_HEAD, N_SPLIT, D4), then (N_HEAD, N_SPLIT) maxima and sums
@group(0) @binding(6) var<storage, read> state: State;
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

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let split = workgroup.y;
  let slice = workgroup.z;
  let head_kv = head / (N_HEAD / N_HEAD_KV);
  let pos = state.pos;
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
  // Runs beyond the second do the same as it, for the barriers in it.
  let scale = head_scale(select(k_base, q_base, run == 0u), lane, t);
  if (lane == 0u && run < 2u) { head_scales[run] = scale; }
  workgroupBarrier();
  for (var i = t; i < 2u * D4; i += WG) {
    if (i < D4) { q[i] = roped(pos, q_base, i, head_scales[0]); } else { k_new[i - D4] = roped(pos, k_base, i - D4, head_scales[1]); }
  }
  workgroupBarrier();
  // One workgroup of a key-value head keeps the cache; the others use their own copy.
  if (end > pos && slice == 0u && head % (N_HEAD / N_HEAD_KV) == 0u) {
    let at = cache_at(head_kv, pos);
    for (var d4 = t; d4 < D4; d4 += WG) {
      k_store(at + d4, k_new[d4]);
      v_store(at + d4, qkv[v_base + d4]);
    }
  }

  // Four elements of the sum over every PARTS-th position.
  let part = t / SLICE_D4;
  let d4 = slice * SLICE_D4 + t % SLICE_D4;
  var acc = vec4f(0.0);
  var total = 0.0;
  var highest = LOWEST;
  for (var tile = begin; tile < end; tile += WG) {
    let n = min(WG, end - tile);
    // A run of LANES invocations reads a key.
    for (var i0 = 0u; i0 < n; i0 += RUNS) {
      let i = min(i0 + run, n - 1u);
      let at = cache_at(head_kv, tile + i);
      var s = 0.0;
      for (var c = lane; c < D4; c += LANES) { s += dot(q[c], k_load(at + c)); }
      if (tile + i == pos) {
        s = 0.0;
        for (var c = lane; c < D4; c += LANES) { s += dot(q[c], k_new[c]); }
      }
      s = lanes_sum(s, t);
      if (lane == 0u) { scores[i] = score(s); }
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
      let n_cached = min(n, pos - tile);
      var i = part;
      for (; i + 3u * PARTS < n_cached; i += 4u * PARTS) {
        let v0 = v_load(cache_at(head_kv, tile + i) + d4);
        let v1 = v_load(cache_at(head_kv, tile + i + PARTS) + d4);
        let v2 = v_load(cache_at(head_kv, tile + i + 2u * PARTS) + d4);
        let v3 = v_load(cache_at(head_kv, tile + i + 3u * PARTS) + d4);
        acc += scores[i] * v0 + scores[i + PARTS] * v1 + scores[i + 2u * PARTS] * v2 + scores[i + 3u * PARTS] * v3;
      }
      for (; i < n_cached; i += PARTS) { acc += scores[i] * v_load(cache_at(head_kv, tile + i) + d4); }
      if (part == 0u && n_cached < n) { acc += scores[n_cached] * qkv[v_base + d4]; }
    }
    workgroupBarrier();
  }
  sums[t] = acc;
  workgroupBarrier();
  if (part == 0u) {
    for (var i = 1u; i < PARTS; i++) { acc += sums[t + i * SLICE_D4]; }
    let at = head * N_SPLIT + split;
    if (N_SPLIT == 1u) {
      y[at * D4 + d4] = acc / total;
    } else {
      y[at * D4 + d4] = acc;
      if (d4 == 0u) { y[N_HEAD * N_SPLIT * D4 + at] = vec4f(highest, total, 0.0, 0.0); }
    }
  }
}
