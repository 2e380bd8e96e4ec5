// The input vector as it is. Rows are padded with zeros to 16 elements.
#import shared/k16
@group(0) @binding(0) var<storage, read> x: array<vec4f>;

var<private> x_base: u32 = 0u; // start of the row, in vec4f

fn input_begin(t: u32) {}

fn input16(j: u32) -> mat4x4f {
  let i = j * 4u;
  return mat4x4f(x[x_base + i], x[x_base + i + 1u], x[x_base + i + 2u], x[x_base + i + 3u]);
}

fn input_scale(t: u32) -> f32 {
  return 1.0;
}
