// A causal convolution of four channels, each by itself. The file that imports this has `column`, the inputs of a position of
// the batch, and `past`, those of a position before it.
#import shared/batch
@group(0) @binding(2) var<storage, read> w: array<f32>; // (C, KERNEL), the oldest column's first
@group(0) @binding(6) var<storage, read> batch: Batch;
override KERNEL: u32; // columns of a sum

fn causal_sum(t: u32, i: u32) -> vec4f {
  let pos = batch.pos + t;
  var sum = vec4f(0.0);
  for (var k = 0u; k < KERNEL; k++) {
    let back = KERNEL - 1u - k;
    // Before the first position there is nothing.
    if (back > pos) { continue; }
    var v = vec4f(0.0);
    if (back > t) { v = past(pos - back, i); } else { v = column(t - back, i); }
    let k0 = i * 4u * KERNEL + k;
    sum += v * vec4f(w[k0], w[k0 + KERNEL], w[k0 + 2u * KERNEL], w[k0 + 3u * KERNEL]);
  }
  return sum;
}
