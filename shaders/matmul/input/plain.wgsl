// The input vector as it is. Rows are padded with zeros to 16 elements.
#import shared/quant/k16
@group(0) @binding(0) var<storage, read> x: array<vec4f>;

var<private> x_base: u32 = 0u; // start of the row, in vec4f

fn input_begin(t: u32) {}

fn input4(i: u32) -> vec4f {
  return x[x_base + i];
}

fn input_scale(t: u32) -> f32 {
  return 1.0;
}
