// Which places of x a place of y sees: KERNEL x KERNEL of them, CONV_STRIDE apart from those of its neighbour. What is outside
// of x is 0.
override IN_H: u32;
override IN_W: u32;
override OUT_H: u32;
override OUT_W: u32;
override CONV_STRIDE: u32;
override PAD_Y: u32; // rows above x
override PAD_X: u32; // columns left of it

// The row or column of x, huge where it would be before the first.
fn in_y(out_y: u32, ky: u32) -> u32 {
  return out_y * CONV_STRIDE + ky - PAD_Y;
}

fn in_x(out_x: u32, kx: u32) -> u32 {
  return out_x * CONV_STRIDE + kx - PAD_X;
}
