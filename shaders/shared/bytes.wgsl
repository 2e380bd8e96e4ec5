// The four bytes of a word, lowest first. A byte in the low bits of 2^23 as f32 is the float 2^23 + byte: cheaper than a
// conversion, and as exact. (unpack4xI8 would do, but not every browser has it.)
const TWO_23 = 8388608.0;

fn bytes_at_2_23(word: u32) -> vec4f {
  return bitcast<vec4f>(((vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu)) | vec4u(0x4b000000u));
}

fn i8x4(word: u32) -> vec4f {
  return bytes_at_2_23(word ^ 0x80808080u) - vec4f(TWO_23 + 128.0);
}

fn u8x4(word: u32) -> vec4f {
  return bytes_at_2_23(word) - vec4f(TWO_23);
}
