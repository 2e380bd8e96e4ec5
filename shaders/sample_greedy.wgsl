// Greedy sampling, second half: the largest of all, and the step ends.
#import shared/argmax
#import shared/advance
@group(0) @binding(0) var<storage, read> best: array<Best>;
override N_WORKGROUPS: u32;

@compute @workgroup_size(ARGMAX_WG)
fn main(@builtin(local_invocation_index) t: u32) {
  var top = Best(-3e38, 0u);
  for (var i = t; i < N_WORKGROUPS; i += ARGMAX_WG) { top = better(top, best[i]); }
  top = workgroup_best(top, t);
  if (t == 0u) { advance(top.index); }
}
