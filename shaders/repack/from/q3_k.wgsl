// Super-blocks of 110 bytes: 32 of third bits, 64 of codes as in Q2_K, 12 of scales, d (f16). A unit is a super-block.
#import repack/codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<u32>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_units = params.k / 256u;
  if (unit >= n_units) { return; }
  let at = src_row + unit * 110u;
  let qs = (dst_row * n_units + unit) * 16u;
  let sc = (dst_row * n_units + unit) * 13u;
  for (var g = 0u; g < 16u; g++) {
    let s = (g % 8u) / 2u;
    w_qs[qs + g] = crumb_group(at + 32u + (g / 8u) * 32u + (g & 1u) * 16u, s * 2u);
  }
  for (var i = 0u; i < 8u; i++) {
    // The third bit of elements 128 n + 32 s on is bit 4 n + s.
    w_sc[sc + i] = bit_group(at, i) | (bit_group(at + 16u, i) << 16u);
  }
  // Scale i: its low nibble is in byte i % 8, its high 2 bits in byte 8 + i % 4.
  let high = src_u32(at + 104u);
  for (var i = 0u; i < 4u; i++) {
    let low = (src_u32(at + 96u + (i & 1u) * 4u) >> ((i / 2u) * 4u)) & 0x0f0f0f0fu;
    let scales = low | (((high >> (2u * i)) & 0x03030303u) << 4u);
    // Less 32 in every byte, as i8.
    w_sc[sc + 8u + i] = (scales ^ 0x20202020u) | ((~scales & 0x20202020u) << 1u) | ((~scales & 0x20202020u) << 2u);
  }
  w_sc[sc + 12u] = src_u16(at + 108u);
}
