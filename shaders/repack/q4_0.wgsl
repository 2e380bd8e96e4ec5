// Blocks of 18 bytes: d (f16), 16 bytes whose low nibbles are elements 0 to 15 and high nibbles 16 to 31.
// A unit is two blocks.
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

// Eight elements of one half: `a` holds the first four, `b` the next, each in `shift`'s nibble of its bytes.
fn eight(a: u32, b: u32, shift: u32) -> u32 {
  return ((a >> shift) & 0x0f0f0f0fu) | (((b >> shift) & 0x0f0f0f0fu) << 4u);
}

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_blocks = params.k / 32u;
  let n_units = (n_blocks + 1u) / 2u;
  if (unit >= n_units) { return; }
  var d = 0u;
  for (var b = 0u; b < 2u; b++) {
    let block = unit * 2u + b;
    if (block < n_blocks) {
      let at = src_row + block * 18u;
      d |= src_u16(at) << (16u * b);
      let q = vec4u(src_u32(at + 2u), src_u32(at + 6u), src_u32(at + 10u), src_u32(at + 14u));
      let dst = (dst_row * n_blocks + block) * 2u;
      w_qs[dst] = vec2u(eight(q.x, q.y, 0u), eight(q.z, q.w, 0u));
      w_qs[dst + 1u] = vec2u(eight(q.x, q.y, 4u), eight(q.z, q.w, 4u));
    }
  }
  w_sc[dst_row * n_units + unit] = d;
}
