// The sixteen values of IQ4_NL and IQ4_XS, as bytes.
// (A vector: naga 30 can't resolve overrides in a module with a constant array.)
fn iq4_value(code: u32) -> u32 {
  let values = vec4u(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);
  return (values[code >> 2u] >> (8u * (code & 3u))) & 0xffu;
}

fn iq4_values4(codes: u32) -> u32 {
  return iq4_value(codes & 15u) | (iq4_value((codes >> 8u) & 15u) << 8u) |
    (iq4_value((codes >> 16u) & 15u) << 16u) | (iq4_value(codes >> 24u) << 24u);
}

fn iq4_values16(c: vec4u) -> vec4u {
  return vec4u(iq4_values4(c.x), iq4_values4(c.y), iq4_values4(c.z), iq4_values4(c.w));
}
