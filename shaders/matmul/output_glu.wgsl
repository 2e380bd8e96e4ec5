// Gated linear units (arXiv:2002.05202): y = act(gate) * up. Gate and up rows alternate in the weights, so
// a pair of rows makes one output.
#import shared/activation
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override N: u32;         // rows of this part of the weights, gate and up
override ROW0: u32; // its first row
override Y_STRIDE: u32;  // elements of a row of y

fn output_pair(t: u32, row: u32, gate: f32, up: f32) {
  if (row < N) { y[t * Y_STRIDE + (ROW0 + row) / 2u] = glu_act(gate) * up; }
}

fn output_end(row0: u32, t: u32) {}
