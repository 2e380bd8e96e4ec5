// From ggml's blocks to the aligned layout that weight/ reads: the same bits, moved. An invocation moves one
// unit of a row; what a unit is, is the type's affair.
#import shared/elements
#import repack/source
#import repack/from/${REPACK}

// Rows of the grid are folded: this many along y, the others along z.
const ROWS_Y = 32768u;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let unit = at.x;
  let row = at.y + at.z * ROWS_Y;
  if (row >= params.n_rows) { return; }
  let dst_row = params.dst_row + row * params.dst_step;
  repack_unit(params.src_byte + row * params.src_row_bytes, dst_row, unit);
}
