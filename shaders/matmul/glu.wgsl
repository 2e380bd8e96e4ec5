// y = act(y) * up, where gate (y, at first) and up come from matmuls of their own: weights of different types.
#import shared/elements
#import shared/activation
@group(0) @binding(0) var<storage, read> up: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override STRIDE: u32; // elements of a row of both

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= STRIDE) { return; }
  let i = at.y * STRIDE + at.x;
#ifdef ACT_silu
  y[i] = silu(y[i]) * up[i];
#else
  y[i] = gelu(y[i]) * up[i];
#endif
}
