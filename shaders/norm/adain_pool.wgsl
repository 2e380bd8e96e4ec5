// y (2 T, C) = pool(leaky(norm(x))): each channel by itself through a transposed convolution of kernel 3 and stride 2 with one place of
// padding at its beginning. Row 2 t sees row t by the middle tap, row 2 t + 1 rows t and t + 1 by the others.
#import shared/elements
#import norm/styled
#import shared/leaky
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<storage, read> taps: array<vec4f>; // (3, C)
@group(0) @binding(5) var<storage, read> bias: array<vec4f>;
override X_PITCH: u32; // vec4f from one row of x, of y and of the taps to the next

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let n4 = at.x % C4;
  let row = at.x / C4;
  if (row >= x_len) { return; }
  let s = styled(n4);
  let i = row * X_PITCH + n4;
  let here = leaky(normed(x[i], s, n4));
  let next = select(vec4f(0.0), leaky(normed(x[min(row + 1u, x_len - 1u) * X_PITCH + n4], s, n4)), row + 1u < x_len);
  let even = 2u * row * X_PITCH + n4;
  y[even] = here * taps[X_PITCH + n4] + bias[n4];
  y[even + X_PITCH] = here * taps[2u * X_PITCH + n4] + next * taps[n4] + bias[n4];
}
