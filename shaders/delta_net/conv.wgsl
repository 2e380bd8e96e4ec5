// The convolution before a gated delta net, of a batch: y (T, C) = act(conv(q, k, v)). Kept columns stay as they are: other
// invocations need them.
#import shared/elements
#import shared/activation
#import delta_net/heads
#import delta_net/columns
#import short_conv/sum
@group(0) @binding(3) var<storage, read> delta_state: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (T, Y_STRIDE4)
override Y_STRIDE4: u32;

fn past(pos: u32, i: u32) -> vec4f {
  return delta_state[column_at(pos, i)];
}

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let t = at.y;
  if (i >= C4) { return; }
  let v = causal_sum(t, i);
#ifdef ACT_silu
  y[t * Y_STRIDE4 + i] = silu4(v);
#else
  y[t * Y_STRIDE4 + i] = v;
#endif
}
