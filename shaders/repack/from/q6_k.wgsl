// Super-blocks of 210 bytes: 128 of low nibbles, 64 of high 2 bits, 16 scales (i8), d (f16). Of elements 128 n + 32 q
// on, the nibbles are in bytes 64 n + 32 (q % 2) on, low for q < 2, the 2 bits in bytes 32 n on at bit 2 q. A unit is a
// super-block.
#import repack/codes
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_units = params.k / 256u;
  if (unit >= n_units) { return; }
  let at = src_row + unit * 210u;
  let qs = (dst_row * n_units + unit) * 16u;
  let sc = (dst_row * n_units + unit) * 21u;
  for (var g = 0u; g < 16u; g++) {
    let n = g / 8u;
    let q = (g % 8u) / 2u;
    let half = (g & 1u) * 16u;
    w_qs[qs + g] = nibble_group(at + n * 64u + (q & 1u) * 32u + half, (q / 2u) * 4u);
    w_sc[sc + g] = crumb_group(at + 128u + n * 32u + half, q * 2u);
  }
  for (var i = 0u; i < 4u; i++) { w_sc[sc + 16u + i] = src_u32(at + 192u + i * 4u); }
  w_sc[sc + 20u] = src_u16(at + 208u);
}
