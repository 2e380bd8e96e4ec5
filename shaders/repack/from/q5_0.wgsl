// Blocks of 22 bytes: d (f16), fifth bits (u32), 16 bytes of nibbles as in Q4_0.
#import repack/codes
#import repack/blocks
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
const BLOCK_BYTES = 22u;
const SCALE_BITS = 16u;
const UNIT_WORDS = 3u;

fn repack_block(at: u32, block: u32, high: u32) {
  w_sc[high] = src_u32(at + 2u);
  w_qs[block * 2u] = nibble_group(at + 6u, 0u);
  w_qs[block * 2u + 1u] = nibble_group(at + 6u, 4u);
}
