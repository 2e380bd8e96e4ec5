// Which rows of x a convolution over time sees: tap k of row t sees row CONV_STRIDE t + DILATION k - PAD of x (T, C), zeros before the first
// and after the last. w is (N, KERNEL C16 16).
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
override KERNEL: u32;
override C16: u32;     // groups of 16 channels of a tap
override X_PITCH: u32; // vec4f from one row of x to the next
override CONV_STRIDE: u32;
override DILATION: u32;
override PAD: u32;
override K16: u32 = KERNEL * C16; // groups of a row of w

// Vector `quarter` of group j that row t sees.
fn seen(t: u32, j: u32, quarter: u32) -> vec4f {
  let row = t * CONV_STRIDE + j / C16 * DILATION - PAD; // huge before the first
  let v = x[min(row, x_len - 1u) * X_PITCH + j % C16 * 4u + quarter];
  return select(vec4f(0.0), input_act(v), row < x_len);
}
