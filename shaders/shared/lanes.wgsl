// Sums and maxima over runs of LANES neighbouring invocations, a power of two. With subgroups a run lies within one:
// SUBGROUP is the size of the smallest that the device makes, and larger ones hold whole runs too.
#import shared/workgroup
override LANES: u32 = 16u;

#ifdef SUBGROUPS
fn lanes_sum(v: f32, t: u32) -> f32 {
  var s = v;
  for (var o = LANES / 2u; o > 0u; o >>= 1u) { s += subgroupShuffleXor(s, o); }
  return s;
}

fn lanes_max(v: f32, t: u32) -> f32 {
  var s = v;
  for (var o = LANES / 2u; o > 0u; o >>= 1u) { s = max(s, subgroupShuffleXor(s, o)); }
  return s;
}
#else
var<workgroup> lanes_scratch: array<f32, WG>;

fn lanes_sum(v: f32, t: u32) -> f32 {
  lanes_scratch[t] = v;
  workgroupBarrier();
  for (var o = LANES / 2u; o > 0u; o >>= 1u) {
    if ((t & (LANES - 1u)) < o) { lanes_scratch[t] += lanes_scratch[t + o]; }
    workgroupBarrier();
  }
  let s = lanes_scratch[t & ~(LANES - 1u)];
  workgroupBarrier();
  return s;
}

fn lanes_max(v: f32, t: u32) -> f32 {
  lanes_scratch[t] = v;
  workgroupBarrier();
  for (var o = LANES / 2u; o > 0u; o >>= 1u) {
    if ((t & (LANES - 1u)) < o) { lanes_scratch[t] = max(lanes_scratch[t], lanes_scratch[t + o]); }
    workgroupBarrier();
  }
  let s = lanes_scratch[t & ~(LANES - 1u)];
  workgroupBarrier();
  return s;
}
#endif
