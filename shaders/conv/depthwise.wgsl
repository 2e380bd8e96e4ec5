// y (OUT_H, OUT_W, N): each channel of x (IN_H, IN_W, N) with weights of its own, w (KERNEL KERNEL, N). An invocation makes four
// channels of OUTS places side by side, which share what they see of a row of x and the row's weights. Taps and places are
// written out: compilers may leave loops as they are, and what a loop indexes lives in memory.
#import shared/elements
#import conv/window
#import conv/epilogue
#import conv/taps/${KERNEL}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
const OUTS = ${OUTS}u;
override RUNS: u32 = (OUT_W + OUTS - 1u) / OUTS; // of OUTS places in a row

// Column ix of the row of x whose first place is `row`.
fn pixel(row: u32, ix: u32, n4: u32) -> vec4f {
  return select(vec4f(0.0), x[(row + min(ix, IN_W - 1u)) * Y_PITCH + n4], ix < IN_W);
}

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= RUNS * N4) { return; }
  let n4 = at.x % N4;
  let out_x = at.x / N4 * OUTS;
  let out_y = at.y;
  let left = in_x(out_x, 0u);
  var sums: mat4x4f; // a column a place
  for (var ky = 0u; ky < KERNEL; ky++) {
    let iy = in_y(out_y, ky);
    if (iy >= IN_H) { continue; }
    let t = taps(ky, n4);
    let row = iy * IN_W;
    sums[0] = plus_taps(sums[0], t, row, left, n4);
#ifdef OUTS_4
    sums[1] = plus_taps(sums[1], t, row, left + CONV_STRIDE, n4);
    sums[2] = plus_taps(sums[2], t, row, left + 2u * CONV_STRIDE, n4);
    sums[3] = plus_taps(sums[3], t, row, left + 3u * CONV_STRIDE, n4);
#endif
  }
  let place = out_y * OUT_W + out_x;
  put(place, n4, sums[0]);
#ifdef OUTS_4
  if (out_x + 1u < OUT_W) { put(place + 1u, n4, sums[1]); }
  if (out_x + 2u < OUT_W) { put(place + 2u, n4, sums[2]); }
  if (out_x + 3u < OUT_W) { put(place + 3u, n4, sums[3]); }
#endif
}
