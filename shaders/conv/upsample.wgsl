// y (2 IN_H, 2 IN_W, N) = skip + activation(resized x (IN_H, IN_W, N)): bilinear, twice as large, pixels' centres at halves. A place
// is a quarter of the way from the centre of its own place of x to that of a neighbour; beyond the edge there is the edge.
#import shared/elements
#import conv/output_shape
#import conv/activation/${ACT}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> skip: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override IN_H: u32;
override IN_W: u32;

// The neighbour that place i of y looks to along an axis of n places of x.
fn neighbour(i: u32, n: u32) -> u32 {
  return select(min(i / 2u + 1u, n - 1u), max(i / 2u, 1u) - 1u, i % 2u == 0u);
}

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= 2u * IN_W * N4) { return; }
  let n4 = at.x % N4;
  let out_x = at.x / N4;
  let own = at.y / 2u * IN_W;
  let beside = neighbour(at.y, IN_H) * IN_W;
  let left = out_x / 2u;
  let right = neighbour(out_x, IN_W);
  let near = x[(own + left) * Y_PITCH + n4] * 0.75 + x[(own + right) * Y_PITCH + n4] * 0.25;
  let far = x[(beside + left) * Y_PITCH + n4] * 0.75 + x[(beside + right) * Y_PITCH + n4] * 0.25;
  let i = (at.y * 2u * IN_W + out_x) * Y_PITCH + n4;
  y[i] = skip[i] + activate(near * 0.75 + far * 0.25, n4);
}
