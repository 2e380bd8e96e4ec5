// Activations as integers of 24 bits, three digits of i8 each, with a unit for every 16: as precise as floats. How they
// lie in memory: digits_layout.
#import shared/reduce/quad
const LARGEST = 8323072.0; // 127 * 2^16

// Of four elements, four a word.
struct Digits {
  high: u32,
  mid: u32,
  low: u32,
  unit: f32, // of their group of 16
}

fn bytes(v: vec4i) -> u32 {
  let b = bitcast<vec4u>(v) & vec4u(0xffu);
  return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

// The invocations of t & ~3 bring the quarters of a group.
fn digits(v: vec4f, t: u32) -> Digits {
  let a = abs(v);
  let top = quad_max(max(max(a.x, a.y), max(a.z, a.w)), t);
  let number = vec4i(round(v * select(0.0, LARGEST / top, top > 1e-30)));
  // Digits of -128 to 127, so the lower ones carry.
  let high = (number + vec4i(0x8080)) >> vec4u(16u);
  let rest = number - (high << vec4u(16u));
  let mid = (rest + vec4i(0x80)) >> vec4u(8u);
  return Digits(bytes(high), bytes(mid), bytes(rest - (mid << vec4u(8u))), top / LARGEST);
}
