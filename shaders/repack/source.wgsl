// The bytes of a tensor as they are in the file: ggml's blocks, at any byte of the staging buffer.
@group(0) @binding(0) var<storage, read> src: array<u32>;
struct RepackParams {
  src_byte: u32,  // where the rows start in src
  n_rows: u32,    // rows here
  dst_row: u32,   // the first one's row in the matrix
  dst_step: u32,  // rows of the matrix from one to the next: 2 where two tensors alternate
  k: u32,         // elements of a row
  src_row_bytes: u32,
}
@group(0) @binding(1) var<uniform> params: RepackParams;

fn src_u32(byte: u32) -> u32 {
  let i = byte / 4u;
  let shift = (byte % 4u) * 8u;
  if (shift == 0u) { return src[i]; }
  return (src[i] >> shift) | (src[i + 1u] << (32u - shift));
}

fn src_u16(byte: u32) -> u32 {
  return src_u32(byte) & 0xffffu;
}
