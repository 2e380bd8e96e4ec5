// Greedy sampling, first half: the largest of each workgroup's share of the logits.
#import sample/best
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> best: array<Best>;
override N_VOCAB: u32;
override N_WORKGROUPS: u32;

@compute @workgroup_size(ARGMAX_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  var top = Best(-3e38, 0u);
  for (var i = workgroup.x * ARGMAX_WG + t; i < N_VOCAB; i += N_WORKGROUPS * ARGMAX_WG) {
    top = better(top, candidate(logits[i], i));
  }
  top = workgroup_best(top, t);
  if (t == 0u) { best[workgroup.x] = top; }
}
