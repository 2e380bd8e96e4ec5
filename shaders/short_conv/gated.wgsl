// A gated short convolution (LFM2): y (T, C) = c * conv(b * x) of bcx (T, 3 C), each channel by itself. The convolution is
// causal: the columns b * x of the positions before the batch are in a ring, to which those of the batch are added.
#import shared/elements
#import shared/batch
@group(0) @binding(0) var<storage, read> bcx: array<vec4f>; // (T, STRIDE4)
@group(0) @binding(2) var<storage, read> w: array<f32>; // (C, KERNEL), the oldest column's first
@group(0) @binding(3) var<storage, read_write> columns: array<vec4f>; // (CAPACITY, C4), position p at p % CAPACITY
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // (T, Y_STRIDE4)
@group(0) @binding(6) var<storage, read> batch: Batch;
override C4: u32; // vectors of four channels
override KERNEL: u32; // columns of a sum
override CAPACITY: u32; // at least the batch and KERNEL - 1: no column that is read is written by another invocation
override STRIDE4: u32;
override Y_STRIDE4: u32;

fn column(t: u32, i: u32) -> vec4f {
  let row = t * STRIDE4 + i;
  return bcx[row] * bcx[row + 2u * C4];
}

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let t = at.y;
  if (i >= C4) { return; }
  let pos = batch.pos + t;
  let here = column(t, i);
  var sum = vec4f(0.0);
  for (var k = 0u; k < KERNEL; k++) {
    let back = KERNEL - 1u - k;
    // Before the first position there is nothing.
    if (back > pos) { continue; }
    var v = here;
    if (back > t) {
      v = columns[(pos - back) % CAPACITY * C4 + i];
    } else if (back > 0u) {
      v = column(t - back, i);
    }
    let k0 = i * 4u * KERNEL + k;
    sum += v * vec4f(w[k0], w[k0 + KERNEL], w[k0 + 2u * KERNEL], w[k0 + 3u * KERNEL]);
  }
  columns[pos % CAPACITY * C4 + i] = here;
  y[t * Y_STRIDE4 + i] = bcx[t * STRIDE4 + C4 + i] * sum;
}
