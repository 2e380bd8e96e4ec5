// y += v, the residual stream
#import matmul/output_row
override RESIDUAL_SCALE: f32;

fn output_element(i: u32, row: u32, v: f32) {
  y[i] += v * RESIDUAL_SCALE;
}
