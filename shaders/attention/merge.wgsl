// What attention_vec left in splits, put together: y = sum_s e^(m_s - m) o_s / sum_s e^(m_s - m) z_s. A workgroup
// takes a head; its invocations four elements and a share of the splits each. LANES is N_SPLIT.
#import shared/batch
#import attention/heads
#import attention/splits
#import shared/reduce/lanes
#import attention/gate/${GATE}
@group(0) @binding(2) var<storage, read> partials: array<vec4f>; // as attention_vec leaves them
#ifdef GATE_sigmoid
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
#endif
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (N_HEAD, D4)
@group(0) @binding(6) var<storage, read> batch: Batch;
override WINDOW: u32;
override PARTS: u32 = WG / D4;

var<workgroup> weights: array<f32, N_SPLIT>;
var<workgroup> sums: array<vec4f, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n_positions = min(batch.pos + 1u, WINDOW);
  let per_split = positions_per_split(n_positions);
  let n_live = (n_positions + per_split - 1u) / per_split;
  let at = workgroup.x * N_SPLIT;
  // Every run of invocations finds the same weights.
  let s = t % N_SPLIT;
  let stats = select(vec2f(-1e30, 0.0), partials[N_HEAD * N_SPLIT * D4 + at + s].xy, s < n_live);
  let w = exp(stats.x - lanes_max(stats.x, t));
  let total = lanes_sum(w * stats.y, t);
  if (t < N_SPLIT) { weights[t] = w / total; }
  workgroupBarrier();
  var acc = vec4f(0.0);
  for (var i = t / D4; i < n_live && t < PARTS * D4; i += PARTS) { acc += weights[i] * partials[(at + i) * D4 + t % D4]; }
  sums[t] = acc;
  workgroupBarrier();
  if (t < D4) {
    for (var i = 1u; i < PARTS; i++) { acc += sums[t + i * D4]; }
    y[workgroup.x * D4 + t] = gated(acc, 0u, workgroup.x, t);
  }
}
