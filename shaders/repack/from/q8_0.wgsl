// Blocks of 34 bytes: d (f16), 32 codes.
#import repack/blocks
@group(0) @binding(2) var<storage, read_write> w_qs: array<vec4u>;
const BLOCK_BYTES = 34u;
const SCALE_BITS = 16u;
const UNIT_WORDS = 1u;

fn repack_block(at: u32, block: u32, high: u32) {
  for (var h = 0u; h < 2u; h++) {
    let q = at + 2u + h * 16u;
    w_qs[block * 2u + h] = vec4u(src_u32(q), src_u32(q + 4u), src_u32(q + 8u), src_u32(q + 12u));
  }
}
