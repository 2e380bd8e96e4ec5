// The input vector as it is, straight from memory. Rows are padded with zeros to 16 elements.
#import shared/k16
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
override CHUNK: u32 = K16;

var<private> x_base: u32 = 0u; // start of the row, in vec4f

fn input_begin(t: u32) {}

fn input4(i: u32) -> vec4f {
  return x[x_base + i];
}

fn input_chunk(j0: u32, t: u32) -> u32 {
  return K16;
}

fn input16(j: u32) -> mat4x4f {
  let i = x_base + j * 4u;
  return mat4x4f(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn input_scale(t: u32) -> f32 {
  return 1.0;
}
