// Sums and maxima over runs of LANES neighbouring invocations, a power of two. With subgroups a run lies within one:
// SUBGROUP is the size of the smallest that the device makes, and larger ones hold whole runs too.
#import shared/reduce/workgroup
override LANES: u32;

#ifdef SUBGROUPS
fn lanes_sum(v: f32, t: u32) -> f32 {
  var s = v;
  for (var o = LANES / 2u; o > 0u; o >>= 1u) { s += subgroupShuffleXor(s, o); }
  return s;
}

fn lanes_sum4(v: vec4f, t: u32) -> vec4f {
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

fn lanes_sum4(v: vec4f, t: u32) -> vec4f {
  return vec4f(lanes_sum(v.x, t), lanes_sum(v.y, t), lanes_sum(v.z, t), lanes_sum(v.w, t));
}

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
