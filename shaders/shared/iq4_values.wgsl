// The sixteen values of IQ4_NL and IQ4_XS: four a word, lowest byte first.
// (A vector: naga 30 can't resolve overrides in a module with a constant array.)
fn iq4_value(code: u32) -> f32 {
  let values = vec4u(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);
  let word = values[code >> 2u];
  return f32(bitcast<i32>(word << (24u - 8u * (code & 3u))) >> 24u);
}

fn iq4_values4(codes: u32) -> vec4f {
  return vec4f(
    iq4_value(codes & 15u), iq4_value((codes >> 8u) & 15u), iq4_value((codes >> 16u) & 15u), iq4_value(codes >> 24u));
}

fn iq4_values16(c: vec2u) -> mat4x4f {
  let lo = c & vec2u(0x0f0f0f0fu);
  let hi = (c >> vec2u(4u)) & vec2u(0x0f0f0f0fu);
  return mat4x4f(iq4_values4(lo.x), iq4_values4(hi.x), iq4_values4(lo.y), iq4_values4(hi.y));
}
