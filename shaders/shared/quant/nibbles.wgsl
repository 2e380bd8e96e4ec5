// Codes of 4, 2 and 1 bits as `repack` lays them out, 16 of a group, as bytes.

// A word's low nibbles are its first four elements, the high nibbles the next four.
fn nibbles16(c: vec2u) -> vec4u {
  return vec4u(c.x, c.x >> 4u, c.y, c.y >> 4u) & vec4u(0x0f0f0f0fu);
}

// Element 4 c + i is in bits 8 i + 2 c.
fn crumbs16(w: u32) -> vec4u {
  return (vec4u(w) >> vec4u(0u, 2u, 4u, 6u)) & vec4u(0x03030303u);
}

// Element e is bit e. The factor puts bit i of four into byte i, too.
fn bits16(b: u32) -> vec4u {
  return (((vec4u(b) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u)) * 0x00204081u) & vec4u(0x01010101u);
}

// Every byte, below 128, less `offset`.
fn minus(q: vec4u, offset: u32) -> vec4u {
  return ((q | vec4u(0x80808080u)) - vec4u(offset * 0x01010101u)) ^ vec4u(0x80808080u);
}
