// Quantised weights before they are floats: sixteen codes i8, four a word, lowest byte first; value = code * d + m.
#import shared/quant/weight16
#import shared/quant/bytes
struct Codes {
  q: vec4u,
  d: f32,
  m: f32,
}

fn weight16(row: u32, j: u32) -> W16 {
  let c = codes16(row, j);
  return W16(mat4x4f(i8x4(c.q.x), i8x4(c.q.y), i8x4(c.q.z), i8x4(c.q.w)), c.d, c.m);
}
