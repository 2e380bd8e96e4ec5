// Over the four invocations of t & ~3.
#import shared/reduce/workgroup
#ifdef SUBGROUPS
fn quad_max(v: f32, t: u32) -> f32 {
  let s = max(v, subgroupShuffleXor(v, 1u));
  return max(s, subgroupShuffleXor(s, 2u));
}

fn quad_sum(v: f32, t: u32) -> f32 {
  let s = v + subgroupShuffleXor(v, 1u);
  return s + subgroupShuffleXor(s, 2u);
}
#else
var<workgroup> quad_scratch: array<f32, WG>;

fn quad_values(v: f32, t: u32) -> vec4f {
  workgroupBarrier();
  quad_scratch[t] = v;
  workgroupBarrier();
  let first = t & ~3u;
  return vec4f(quad_scratch[first], quad_scratch[first + 1u], quad_scratch[first + 2u], quad_scratch[first + 3u]);
}

fn quad_max(v: f32, t: u32) -> f32 {
  let s = quad_values(v, t);
  return max(max(s.x, s.y), max(s.z, s.w));
}

fn quad_sum(v: f32, t: u32) -> f32 {
  return dot(quad_values(v, t), vec4f(1.0));
}
#endif
