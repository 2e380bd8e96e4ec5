// The input as digits from memory, where output_glu_digits left them.
#import shared/k16
#import shared/dot16_digits
override CHUNK: u32 = K16;

fn input_chunk(j0: u32, t: u32) -> u32 {
  return K16;
}

fn input16(j: u32) -> X16 {
  let units = x[7u * K16 + j / 2u];
  let own = bitcast<vec2f>(select(units.xy, units.zw, j % 2u == 1u));
  return X16(x[4u * K16 + j], x[5u * K16 + j], x[6u * K16 + j], own.x, own.y);
}
