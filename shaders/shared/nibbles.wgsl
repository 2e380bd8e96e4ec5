// Codes of 4, 2 and 1 bits as `repack` lays them out, 16 of a group, unsigned.
#import shared/bytes

// A word's low nibbles are its first four elements, the high nibbles the next four. Less `zero`.
fn nibbles16(c: vec2u, zero: f32) -> mat4x4f {
  let lo = c & vec2u(0x0f0f0f0fu);
  let hi = (c >> vec2u(4u)) & vec2u(0x0f0f0f0fu);
  let z = vec4f(TWO_23 + zero);
  return mat4x4f(
    bytes_at_2_23(lo.x) - z, bytes_at_2_23(hi.x) - z, bytes_at_2_23(lo.y) - z, bytes_at_2_23(hi.y) - z);
}

// Element 4 c + i is in bits 8 i + 2 c.
fn crumbs16(w: u32) -> mat4x4f {
  let mask = 0x03030303u;
  return mat4x4f(u8x4(w & mask), u8x4((w >> 2u) & mask), u8x4((w >> 4u) & mask), u8x4((w >> 6u) & mask));
}

// Element e is bit e.
fn bits16(b: u32) -> mat4x4f {
  return mat4x4f(bits4(b), bits4(b >> 4u), bits4(b >> 8u), bits4(b >> 12u));
}

fn bits4(b: u32) -> vec4f {
  return vec4f((vec4u(b) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u));
}

fn minus(q: mat4x4f, offset: f32) -> mat4x4f {
  let o = vec4f(offset);
  return mat4x4f(q[0] - o, q[1] - o, q[2] - o, q[3] - o);
}
