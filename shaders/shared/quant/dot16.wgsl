// Products in floats.
#import shared/quant/weight16
alias X16 = mat4x4f;

fn dot16(row: u32, j: u32, x: X16) -> f32 {
  return weight_dot(weight16(row, j), x);
}
