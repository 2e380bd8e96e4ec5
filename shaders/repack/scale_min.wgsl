// Scales and minima of Q4_K and Q5_K.
// Scale and minimum i of 8, six bits each, in 12 bytes: those of the first four are in bytes i and i + 4; of the
// others the low nibbles are in byte i + 4, the high 2 bits on top of bytes i - 4 and i.
fn scale_min(at: u32, i: u32) -> u32 {
  let a = src_u32(at);
  let b = src_u32(at + 4u);
  let c = src_u32(at + 8u);
  let shift = (i % 4u) * 8u;
  if (i < 4u) { return ((a >> shift) & 63u) | (((b >> shift) & 63u) << 8u); }
  let low = c >> shift;
  let scale = (low & 15u) | (((a >> (shift + 6u)) & 3u) << 4u);
  let m = ((low >> 4u) & 15u) | (((b >> (shift + 6u)) & 3u) << 4u);
  return scale | (m << 8u);
}
