// y (OUT_H, OUT_W, N): a convolution of KERNEL x KERNEL of x (IN_H, IN_W, C), w (N, KERNEL KERNEL C), a row padded to 16 elements.
// An invocation makes four channels of a place. All of a workgroup make the same four, whose weights are staged for four
// channels of x at a time.
#import shared/elements
#import conv/input_shape
#import conv/window
#import conv/epilogue
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
override KERNEL: u32;
override TAPS: u32 = KERNEL * KERNEL;
override W_PITCH: u32 = (TAPS * C + 15u) / 16u * 16u; // elements from one row to the next
override STAGED: u32 = TAPS * 4u;
var<workgroup> weights: array<vec4f, STAGED>; // (taps, channels of x): four channels of y

fn weight(n: u32, tap: u32, c: u32) -> f32 {
  return select(0.0, w[min(n, N - 1u) * W_PITCH + tap * C + min(c, C - 1u)], n < N && c < C);
}

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let place = workgroup.x * ELEMENT_WG + t;
  let n4 = workgroup.y;
  let n = n4 * 4u;
  var sum: vec4f;
  for (var c4 = 0u; c4 < C4; c4++) {
    workgroupBarrier(); // the weights before have been used
    for (var i = t; i < STAGED; i += ELEMENT_WG) {
      let c = c4 * 4u + i % 4u;
      weights[i] = vec4f(weight(n, i / 4u, c), weight(n + 1u, i / 4u, c), weight(n + 2u, i / 4u, c), weight(n + 3u, i / 4u, c));
    }
    workgroupBarrier();
    for (var ky = 0u; ky < KERNEL; ky++) {
      let iy = in_y(place / OUT_W, ky);
      if (iy >= IN_H) { continue; }
      for (var kx = 0u; kx < KERNEL; kx++) {
        let ix = in_x(place % OUT_W, kx);
        if (ix >= IN_W) { continue; }
        let v = x[(iy * IN_W + ix) * X_PITCH + c4];
        let at = (ky * KERNEL + kx) * 4u;
        sum = fma(vec4f(v.x), weights[at], sum);
        sum = fma(vec4f(v.y), weights[at + 1u], sum);
        sum = fma(vec4f(v.z), weights[at + 2u], sum);
        sum = fma(vec4f(v.w), weights[at + 3u], sum);
      }
    }
  }
  if (place < OUT_H * OUT_W) { put(place, n4, sum); }
}
