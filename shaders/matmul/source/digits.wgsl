// The input as digits from memory, where output_glu_digits left them.
#import shared/quant/k16
#import shared/quant/dot16_digits
#import shared/quant/digits_layout
@group(0) @binding(0) var<storage, read> x: array<vec4u>;
override CHUNK: u32 = K16;

fn input_begin(t: u32) {}

fn input_scale(t: u32) -> f32 {
  return 1.0;
}

fn input_chunk(j0: u32, t: u32) -> u32 {
  return K16;
}

fn input16(j: u32) -> X16 {
  let units = x[units_at(K16, j)];
  let own = bitcast<vec2f>(select(units.xy, units.zw, j % 2u == 1u));
  return X16(x[digits_at(0u, K16, j)], x[digits_at(1u, K16, j)], x[digits_at(2u, K16, j)], own.x, own.y);
}
