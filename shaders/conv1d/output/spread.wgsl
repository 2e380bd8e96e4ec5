// A transposed convolution: a row of the product is several rows of y, N / UP_N of them, side by side. y lacks the first CUT rows
// of all, and what is beyond its last. With MIRROR, row 0 of y is not among them: it is as row 2, by reflection. y = v + bias + residual.
#import conv1d/y
#import conv1d/bias
@group(0) @binding(7) var<storage, read> residual: array<vec4f>;
override UP_N: u32; // channels of y, a multiple of 16
override CUT: i32;  // -1 with MIRROR and nothing cut
override MIRROR: u32;
override UP_N4: u32 = UP_N / 4u;

fn put(t: u32, n4: u32, sum: vec4f) {
  if (4u * n4 >= N) { return; }
  let row = t * (N / UP_N) + n4 / UP_N4 - u32(CUT); // huge before the first
  // With MIRROR, row 0 belongs to who makes row 2, also where a row that is cut off would be there.
  if (row >= y_len || (MIRROR == 1u && row == 0u)) { return; }
  let c = n4 % UP_N4;
  let i = row * UP_N4 + c;
  let v = scaled(sum, n4) + bias[c];
  y[i] = v + residual[i];
  if (MIRROR == 1u && row == 2u) { y[c] = v + residual[c]; }
}
