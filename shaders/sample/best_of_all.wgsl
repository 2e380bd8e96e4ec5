// What argmax left: the best of every workgroup's share of the logits.
#import sample/best
@group(0) @binding(1) var<storage, read> best: array<Best>;
override N_WORKGROUPS: u32;

fn best_of_all(t: u32) -> Best {
  var top = Best(-3e38, 0u);
  for (var i = t; i < N_WORKGROUPS; i += ARGMAX_WG) { top = better(top, best[i]); }
  return workgroup_best(top, t);
}
