// y = v + bias
#import matmul/output_row
@group(0) @binding(5) var<storage, read> bias: array<f32>;

fn output_element(i: u32, row: u32, v: f32) {
  y[i] = v + bias[row];
}
