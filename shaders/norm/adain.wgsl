// y (T, C) = act(norm(x)). An invocation makes four channels of four rows.
#import shared/elements
#import norm/styled
#import norm/act/${ACT}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override X_PITCH: u32; // vec4f from one row of x and of y to the next
const ADAIN_ROWS = 4u;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let n4 = at.x % C4;
  let first = at.x / C4 * ADAIN_ROWS;
  let s = styled(n4);
  for (var row = first; row < min(first + ADAIN_ROWS, x_len); row++) {
    let i = row * X_PITCH + n4;
    y[i] = act(normed(x[i], s, n4), n4);
  }
}
