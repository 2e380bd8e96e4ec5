// h (T, C) = input(x), or h += RESIDUAL_SCALE * input(x), a workgroup a token: the norm of prefill, where one for all
// rows of the weights is cheaper than one in every workgroup.
#import shared/reduce/workgroup_sum
#import shared/quant/k16
#import matmul/input/${INPUT}
@group(0) @binding(4) var<storage, read_write> h: array<vec4f>;
#ifdef WRITE_add
override RESIDUAL_SCALE: f32;
#endif

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  x_base = workgroup.x * K16 * 4u;
  input_begin(t);
  // The scale is known when all was read.
  for (var i = t; i < K16 * 4u; i += WG) { input4(i); }
  let scale = input_scale(t);
  for (var i = t; i < K16 * 4u; i += WG) {
    let v = input4(i) * scale;
#ifdef WRITE_add
    h[x_base + i] += v * RESIDUAL_SCALE;
#else
    h[x_base + i] = v;
#endif
  }
}
