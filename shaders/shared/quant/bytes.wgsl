// The four bytes of a word, signed, lowest first. A byte in the low bits of 2^23 as f32 is the float 2^23 + byte: cheaper
// than a conversion, and as exact. (unpack4xI8 would do, but not every browser has it.)
fn i8x4(word: u32) -> vec4f {
  let bytes = (vec4u(word ^ 0x80808080u) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
  return bitcast<vec4f>(bytes | vec4u(0x4b000000u)) - vec4f(8388608.0 + 128.0);
}

// One of them.
fn i8_at(word: u32, i: u32) -> f32 {
  return f32(bitcast<i32>(word << (24u - 8u * i)) >> 24u);
}
