// Codes of 4, 2 and 1 bits into the layouts of shared/quant/nibbles. `at` is the byte of 16 bytes, one an element.

// Eight elements: `a` has the first four, `b` the next, in the nibble at `shift` of their bytes.
fn eight(a: u32, b: u32, shift: u32) -> u32 {
  return ((a >> shift) & 0x0f0f0f0fu) | (((b >> shift) & 0x0f0f0f0fu) << 4u);
}

fn nibble_group(at: u32, shift: u32) -> vec2u {
  return vec2u(
    eight(src_u32(at), src_u32(at + 4u), shift),
    eight(src_u32(at + 8u), src_u32(at + 12u), shift));
}

fn crumb_group(at: u32, shift: u32) -> u32 {
  var w = 0u;
  for (var c = 0u; c < 4u; c++) { w |= ((src_u32(at + 4u * c) >> shift) & 0x03030303u) << (2u * c); }
  return w;
}

fn bit_group(at: u32, bit: u32) -> u32 {
  var w = 0u;
  for (var c = 0u; c < 4u; c++) {
    let x = (src_u32(at + 4u * c) >> bit) & 0x01010101u;
    w |= ((x | (x >> 7u) | (x >> 14u) | (x >> 21u)) & 0xfu) << (4u * c);
  }
  return w;
}
