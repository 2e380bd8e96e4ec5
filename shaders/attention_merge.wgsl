// What attention_vec left in splits, put together: y = sum_s e^(m_s - m) o_s / sum_s e^(m_s - m) z_s. A workgroup
// takes a head; its invocations four elements and a share of the splits each.
#import shared/state
#import shared/heads
#import shared/splits
@group(0) @binding(0) var<storage, read> partials: array<vec4f>; // as attention_vec leaves them
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (N_HEAD, D4)
@group(0) @binding(6) var<storage, read> state: State;
override WINDOW: u32;
override WG: u32;
override PARTS: u32 = WG / D4;

var<workgroup> stats: array<vec2f, N_SPLIT>; // maximum and sum of each split
var<workgroup> sums: array<vec4f, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n_positions = min(state.pos + 1u, WINDOW);
  let per_split = positions_per_split(n_positions);
  let n_live = (n_positions + per_split - 1u) / per_split;
  let at = workgroup.x * N_SPLIT;
  for (var s = t; s < n_live; s += WG) { stats[s] = partials[N_HEAD * N_SPLIT * D4 + at + s].xy; }
  workgroupBarrier();
  var highest = stats[0].x;
  for (var s = 1u; s < n_live; s++) { highest = max(highest, stats[s].x); }
  var total = 0.0;
  for (var s = 0u; s < n_live; s++) { total += exp(stats[s].x - highest) * stats[s].y; }
  let d4 = t % D4;
  var acc = vec4f(0.0);
  for (var s = t / D4; s < n_live; s += PARTS) {
    acc += exp(stats[s].x - highest) * partials[(at + s) * D4 + d4];
  }
  sums[t] = acc;
  workgroupBarrier();
  if (t < D4) {
    for (var i = 1u; i < PARTS; i++) { acc += sums[t + i * D4]; }
    y[workgroup.x * D4 + t] = acc / total;
  }
}
