// What attention keeps to itself, for captures: scores k . q before scaling (kq), and their softmax, each
// (N_HEAD, T, N_POS); 0 where a token may not look. q and k are rotated. An invocation takes a row.
#import shared/elements
#import shared/batch
#import attention/heads
#import attention/qkv_row
#import attention/score_scale
#import attention/kv/${KV}
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> kq: array<f32>;
@group(0) @binding(5) var<storage, read_write> kq_soft_max: array<f32>;
@group(0) @binding(6) var<storage, read> batch: Batch;
override WINDOW: u32;
override N_POS: u32;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let head = at.x;
  let token = at.y;
  if (head >= N_HEAD) { return; }
  let pos = batch.pos + token;
  let row = (head * batch.n_rows + token) * N_POS;
  let first = select(0u, pos + 1u - WINDOW, pos + 1u > WINDOW);
  let end = min(pos + 1u, N_POS);
  var highest = -1e30;
  for (var p = first; p < end; p++) {
    var s = 0.0;
    let k = cache_at(head / (N_HEAD / N_HEAD_KV), p);
    for (var i = 0u; i < D4; i++) { s += dot(qkv[token * ROW_D4 + head * D4 + i], k_load(k + i)); }
    kq[row + p] = s;
    highest = max(highest, score(s));
  }
  var total = 0.0;
  for (var p = first; p < end; p++) { total += exp(score(kq[row + p]) - highest); }
  for (var p = first; p < end; p++) { kq_soft_max[row + p] = exp(score(kq[row + p]) - highest) / total; }
}
