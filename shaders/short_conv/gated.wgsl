// A gated short convolution (LFM2): y (T, C) = c * conv(b * x) of bcx (T, 3 C), each channel by itself. The convolution is
// causal: the columns b * x of the positions before the batch are in a ring, to which those of the batch are added.
#import shared/elements
#import short_conv/sum
@group(0) @binding(0) var<storage, read> bcx: array<vec4f>; // (T, STRIDE4)
@group(0) @binding(3) var<storage, read_write> columns: array<vec4f>; // (CAPACITY, C4), position p at p % CAPACITY
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (T, Y_STRIDE4)
override C4: u32; // vectors of four channels
override CAPACITY: u32; // at least the batch and KERNEL - 1: no column that is read is written by another invocation
override STRIDE4: u32;
override Y_STRIDE4: u32;

fn column(t: u32, i: u32) -> vec4f {
  let row = t * STRIDE4 + i;
  return bcx[row] * bcx[row + 2u * C4];
}

fn past(pos: u32, i: u32) -> vec4f {
  return columns[pos % CAPACITY * C4 + i];
}

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let t = at.y;
  if (i >= C4) { return; }
  let sum = causal_sum(t, i);
  columns[(batch.pos + t) % CAPACITY * C4 + i] = column(t, i);
  y[t * Y_STRIDE4 + i] = bcx[t * STRIDE4 + C4 + i] * sum;
}
