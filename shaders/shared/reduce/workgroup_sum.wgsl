// The sum over the whole workgroup of WG invocations.
#import shared/reduce/workgroup
#ifdef SUBGROUPS
var<workgroup> subgroup_sums: array<f32, N_SUBGROUPS>;

fn workgroup_sum(v: f32, t: u32) -> f32 {
  var s = v;
  for (var o = SUBGROUP / 2u; o > 0u; o >>= 1u) { s += subgroupShuffleXor(s, o); }
  if (t % SUBGROUP == 0u) { subgroup_sums[t / SUBGROUP] = s; }
  workgroupBarrier();
  s = 0.0;
  for (var i = 0u; i < N_SUBGROUPS; i++) { s += subgroup_sums[i]; }
  workgroupBarrier();
  return s;
}
#else
var<workgroup> sum_scratch: array<f32, WG>;

fn workgroup_sum(v: f32, t: u32) -> f32 {
  sum_scratch[t] = v;
  workgroupBarrier();
  for (var o = WG / 2u; o > 0u; o >>= 1u) {
    if (t < o) { sum_scratch[t] += sum_scratch[t + o]; }
    workgroupBarrier();
  }
  let s = sum_scratch[0];
  workgroupBarrier();
  return s;
}
#endif
