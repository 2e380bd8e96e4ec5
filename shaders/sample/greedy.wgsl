// Greedy sampling, after argmax: the largest of all, and the step ends.
#import sample/best_of_all
#import sample/advance

@compute @workgroup_size(ARGMAX_WG)
fn main(@builtin(local_invocation_index) t: u32) {
  let top = best_of_all(t);
  if (t == 0u) { advance(top.index); }
}
