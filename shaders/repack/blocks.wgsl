// Blocks of 32 codes that begin with their scale, of which one word holds several: a unit is the blocks of such a word.
// It is the last word of a unit's UNIT_WORDS in w_sc. The type gives BLOCK_BYTES, SCALE_BITS, UNIT_WORDS and
// repack_block, which moves the rest of the block at a byte, the block'th of the matrix; `high` is where its fifth bits
// go.
@group(0) @binding(3) var<storage, read_write> w_sc: array<u32>;
const UNIT_BLOCKS = 32u / SCALE_BITS;

fn repack_unit(src_row: u32, dst_row: u32, unit: u32) {
  let n_blocks = params.k / 32u;
  let n_units = (n_blocks + UNIT_BLOCKS - 1u) / UNIT_BLOCKS;
  if (unit >= n_units) { return; }
  let sc = (dst_row * n_units + unit) * UNIT_WORDS;
  var scales = 0u;
  for (var b = 0u; b < UNIT_BLOCKS; b++) {
    let block = unit * UNIT_BLOCKS + b;
    if (block < n_blocks) {
      let at = src_row + block * BLOCK_BYTES;
      scales |= (src_u32(at) & ((1u << SCALE_BITS) - 1u)) << (SCALE_BITS * b);
      repack_block(at, dst_row * n_blocks + block, sc + b);
    }
  }
  w_sc[sc + UNIT_WORDS - 1u] = scales;
}
