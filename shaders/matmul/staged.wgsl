// The input in workgroup memory, CHUNK groups of 16 at a time, laid out so that neighbouring groups are read together:
// straight from memory, the L1 cache would be what binds a matmul.
#import shared/quant/k16
#import shared/reduce/workgroup
#import shared/quant/dot16
override CHUNK: u32 = min(K16, 128u);
override PITCH: u32 = CHUNK + 2u; // the two keep the four quarters of a group off each other's banks
override CHUNK_SIZE: u32 = 4u * PITCH;
var<workgroup> x_chunk: array<vec4f, CHUNK_SIZE>;

// Read the groups from j0 on, by all invocations; returns their number.
fn input_chunk(j0: u32, t: u32) -> u32 {
  let n = min(CHUNK, K16 - j0);
  workgroupBarrier(); // the chunk before has been used
  for (var i = t; i < n * 4u; i += WG) { x_chunk[i % 4u * PITCH + i / 4u] = input4(j0 * 4u + i); }
  workgroupBarrier();
  return n;
}

fn input16(i: u32) -> X16 {
  return mat4x4f(x_chunk[i], x_chunk[PITCH + i], x_chunk[2u * PITCH + i], x_chunk[3u * PITCH + i]);
}
