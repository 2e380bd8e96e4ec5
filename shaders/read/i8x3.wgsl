// The input in workgroup memory as integers of 24 bits, three digits of i8 each, with a unit for every 16: products with
// codes are sums of integers, four at a time (dp4a), and no code needs to become a float. As precise as floats.
#import shared/k16
#import shared/workgroup
#import shared/quad
override CHUNK: u32 = min(K16, 128u);
override N_DIGITS: u32 = 3u * CHUNK;
var<workgroup> x_digits: array<vec4u, N_DIGITS>; // (3, groups), the highest first
var<workgroup> x_units: array<vec2f, CHUNK>;     // and the sums of the groups, for weights that have minima
const LARGEST = 8323072.0; // 127 * 2^16

struct X16 {
  high: vec4u,
  mid: vec4u,
  low: vec4u,
  unit: vec2f,
}

fn bytes(v: vec4i) -> u32 {
  let b = bitcast<vec4u>(v) & vec4u(0xffu);
  return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

// Read the groups from j0 on, by all invocations; returns their number.
fn input_chunk(j0: u32, t: u32) -> u32 {
  let n = min(CHUNK, K16 - j0);
  workgroupBarrier(); // the chunk before has been used
  for (var i0 = 0u; i0 < n * 4u; i0 += WG) {
    let i = i0 + t;
    var v: vec4f;
    if (i < n * 4u) { v = input4(j0 * 4u + i); }
    let a = abs(v);
    let top = quad_max(max(max(a.x, a.y), max(a.z, a.w)), t);
    var sum = 0.0;
    if (WEIGHT_HAS_MIN) { sum = quad_sum(dot(v, vec4f(1.0)), t); }
    let number = vec4i(round(v * select(0.0, LARGEST / top, top > 1e-30)));
    // Digits of -128 to 127, so the lower ones carry.
    let high = (number + vec4i(0x8080)) >> vec4u(16u);
    let rest = number - (high << vec4u(16u));
    let mid = (rest + vec4i(0x80)) >> vec4u(8u);
    if (i < n * 4u) {
      let g = i / 4u;
      x_digits[g][i % 4u] = bytes(high);
      x_digits[CHUNK + g][i % 4u] = bytes(mid);
      x_digits[2u * CHUNK + g][i % 4u] = bytes(rest - (mid << vec4u(8u)));
      if (i % 4u == 0u) { x_units[g] = vec2f(top / LARGEST, sum); }
    }
  }
  workgroupBarrier();
  return n;
}

fn input16(j: u32) -> X16 {
  return X16(x_digits[j], x_digits[CHUNK + j], x_digits[2u * CHUNK + j], x_units[j]);
}

fn dot_i8(a: vec4u, b: vec4u) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

fn dot16(row: u32, j: u32, x: X16) -> f32 {
  let w = codes16(row, j);
  let low = (dot_i8(w.q, x.mid) << 8u) + dot_i8(w.q, x.low);
  let s = (f32(dot_i8(w.q, x.high)) * 65536.0 + f32(low)) * x.unit.x * w.d;
  if (WEIGHT_HAS_MIN) { return s + w.m * x.unit.y; }
  return s;
}
