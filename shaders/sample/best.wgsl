// The largest value with its index over a workgroup of ARGMAX_WG; the lowest index wins a tie.
#import shared/finite
struct Best {
  value: f32,
  index: u32,
}
const ARGMAX_WG = 256u;
var<workgroup> argmax_scratch: array<Best, ARGMAX_WG>;

// Sampled in place of an id where a logit is NaN or infinite.
const NO_ID = 0xffffffffu;
const LARGEST = 3.4028234e38;

// An id's logit; one that is no number beats all others.
fn candidate(logit: f32, id: u32) -> Best {
  let finite = is_finite(logit);
  return Best(select(LARGEST, logit, finite), select(NO_ID, id, finite));
}

fn better(a: Best, b: Best) -> Best {
  if (b.value > a.value || (b.value == a.value && b.index < a.index)) { return b; }
  return a;
}

fn workgroup_best(v: Best, t: u32) -> Best {
  argmax_scratch[t] = v;
  workgroupBarrier();
  for (var o = ARGMAX_WG / 2u; o > 0u; o >>= 1u) {
    if (t < o) { argmax_scratch[t] = better(argmax_scratch[t], argmax_scratch[t + o]); }
    workgroupBarrier();
  }
  let best_here = argmax_scratch[0];
  workgroupBarrier();
  return best_here;
}
