// After a batch's states: y (T, N_V HEAD_DIM) is normed and gated, in place, and the last columns are kept for the next batch. A
// workgroup has a head of a token.
#import shared/batch
#import delta_net/heads
#import delta_net/columns
#import delta_net/keep
#import delta_net/output
#import shared/reduce/workgroup_sum
@group(0) @binding(1) var<storage, read> head_weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> delta_state: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (T, Y_STRIDE4)
@group(0) @binding(6) var<storage, read> batch: Batch;
override Y_STRIDE4: u32;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let token = workgroup.y;
  let at = token * Y_STRIDE4 + head * D4 + t;
  var o = vec4f(0.0);
  if (t < D4) { o = y[at]; }
  let sum_sq = workgroup_sum(dot(o, o), t);
  if (t >= D4) { return; }
  y[at] = gated(o, sum_sq, token, head, t);
  if (token + CAPACITY > batch.n_rows) { keep_columns(token, head, t); }
}
