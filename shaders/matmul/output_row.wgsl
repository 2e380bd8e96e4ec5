// Results go to y one row of the weights at a time; the output slot says what is done with each.
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override N: u32;         // rows of this part of the weights
override ROW0: u32; // its first row in y
override Y_STRIDE: u32;  // elements of a row of y

fn output(t: u32, row: u32, v: f32) {
  if (row < N) { output_element(t * Y_STRIDE + ROW0 + row, ROW0 + row, v); }
}

fn output_pair(t: u32, row: u32, a: f32, b: f32) {
  output(t, row, a);
  output(t, row + 1u, b);
}

fn output_end(row0: u32, t: u32) {}
