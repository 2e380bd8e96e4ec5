// Sums over the whole workgroup of WG invocations.
#import shared/lanes

#ifdef SUBGROUPS
var<workgroup> subgroup_sums: array<f32, WG>;

fn workgroup_sum(v: f32, t: u32, subgroup_size: u32) -> f32 {
  let s = subgroupAdd(v);
  if (t % subgroup_size == 0u) { subgroup_sums[t / subgroup_size] = s; }
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < WG / subgroup_size; i++) { total += subgroup_sums[i]; }
  workgroupBarrier();
  return total;
}
#else
fn workgroup_sum(v: f32, t: u32, subgroup_size: u32) -> f32 {
  return lanes_sum(v, t, WG);
}
#endif
