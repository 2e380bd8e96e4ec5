// Blocks of 18 bytes: d (f16), 16 bytes whose low nibbles are elements 0 to 15 and high nibbles 16 to 31. IQ4_NL has
// the same blocks.
#import repack/codes
#import repack/blocks
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec2u>;
const BLOCK_BYTES = 18u;
const SCALE_BITS = 16u;
const UNIT_WORDS = 1u;

fn repack_block(at: u32, block: u32, high: u32) {
  w_qs[block * 2u] = nibble_group(at + 2u, 0u);
  w_qs[block * 2u + 1u] = nibble_group(at + 2u, 4u);
}
