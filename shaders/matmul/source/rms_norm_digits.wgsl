// The norm's output in workgroup memory, as digits.
#import matmul/input/rms_norm
#import shared/quant/k16
#import shared/reduce/workgroup
#import shared/quant/digits
#import shared/quant/dot16_digits
override CHUNK: u32 = min(K16, 128u);
override N_DIGITS: u32 = 3u * CHUNK;
var<workgroup> x_digits: array<vec4u, N_DIGITS>; // (3, groups), the highest first
var<workgroup> x_units: array<vec2f, CHUNK>;     // and the sums of the groups, for weights that have minima

// Read the groups from j0 on, by all invocations; returns their number.
fn input_chunk(j0: u32, t: u32) -> u32 {
  let n = min(CHUNK, K16 - j0);
  workgroupBarrier(); // the chunk before has been used
  for (var i0 = 0u; i0 < n * 4u; i0 += WG) {
    let i = i0 + t;
    var v = vec4f(0.0);
    if (i < n * 4u) { v = input4(j0 * 4u + i); }
    let d = digits(v, t);
    var sum = 0.0;
    if (WEIGHT_HAS_MIN) { sum = quad_sum(dot(v, vec4f(1.0)), t); }
    if (i < n * 4u) {
      let g = i / 4u;
      x_digits[g][i % 4u] = d.high;
      x_digits[CHUNK + g][i % 4u] = d.mid;
      x_digits[2u * CHUNK + g][i % 4u] = d.low;
      if (i % 4u == 0u) { x_units[g] = vec2f(d.unit, sum); }
    }
  }
  workgroupBarrier();
  return n;
}

fn input16(j: u32) -> X16 {
  return X16(x_digits[j], x_digits[CHUNK + j], x_digits[2u * CHUNK + j], x_units[j].x, x_units[j].y);
}
