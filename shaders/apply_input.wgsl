// h (T, C) = input(x), or h += input(x), a workgroup a token: the norm of prefill, where one for all rows of the weights is cheaper
// than one in every workgroup.
#import shared/reduce
#import shared/k16
#import input/${INPUT}
@group(0) @binding(4) var<storage, read_write> h: array<vec4f>;
override RESIDUAL_SCALE: f32 = 1.0;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) t: u32,
#ifdef SUBGROUPS
  @builtin(subgroup_size) subgroup_size: u32,
#endif
) {
#ifndef SUBGROUPS
  let subgroup_size = 0u;
#endif
  x_base = workgroup.x * K16 * 4u;
  input_begin(t, subgroup_size);
  let scale = input_scale(t, subgroup_size);
  for (var j = t; j < K16; j += WG) {
    let v = input16(j) * scale;
    for (var c = 0u; c < 4u; c++) {
#ifdef WRITE_add
      h[x_base + j * 4u + c] += v[c] * RESIDUAL_SCALE;
#else
      h[x_base + j * 4u + c] = v[c];
#endif
    }
  }
}
