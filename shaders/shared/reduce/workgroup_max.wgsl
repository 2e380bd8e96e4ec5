// The maximum over the whole workgroup of WG invocations.
#import shared/reduce/workgroup
#ifdef SUBGROUPS
var<workgroup> subgroup_maxima: array<f32, N_SUBGROUPS>;

fn workgroup_max(v: f32, t: u32) -> f32 {
  var s = v;
  for (var o = SUBGROUP / 2u; o > 0u; o >>= 1u) { s = max(s, subgroupShuffleXor(s, o)); }
  if (t % SUBGROUP == 0u) { subgroup_maxima[t / SUBGROUP] = s; }
  workgroupBarrier();
  s = subgroup_maxima[0];
  for (var i = 1u; i < N_SUBGROUPS; i++) { s = max(s, subgroup_maxima[i]); }
  workgroupBarrier();
  return s;
}
#else
var<workgroup> max_scratch: array<f32, WG>;

fn workgroup_max(v: f32, t: u32) -> f32 {
  max_scratch[t] = v;
  workgroupBarrier();
  for (var o = WG / 2u; o > 0u; o >>= 1u) {
    if (t < o) { max_scratch[t] = max(max_scratch[t], max_scratch[t + o]); }
    workgroupBarrier();
  }
  let s = max_scratch[0];
  workgroupBarrier();
  return s;
}
#endif
