// Blocks of 17 bytes: the scale (E8M0), 16 bytes of nibbles as in Q4_0.
#import repack/codes
#import repack/blocks
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
const BLOCK_BYTES = 17u;
const SCALE_BITS = 8u;
const UNIT_WORDS = 1u;

fn repack_block(at: u32, block: u32, high: u32) {
  w_qs[block * 2u] = nibble_group(at + 1u, 0u);
  w_qs[block * 2u + 1u] = nibble_group(at + 1u, 4u);
}
