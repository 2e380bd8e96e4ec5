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
