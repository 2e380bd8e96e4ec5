// A row of 3 taps.
const KERNEL = 3u;
struct Taps { w0: vec4f, w1: vec4f, w2: vec4f }

fn taps(ky: u32, n4: u32) -> Taps {
  let i = ky * KERNEL * Y_PITCH + n4;
  return Taps(w[i], w[i + Y_PITCH], w[i + 2u * Y_PITCH]);
}

fn plus_taps(sum: vec4f, t: Taps, row: u32, left: u32, n4: u32) -> vec4f {
  var s = fma(pixel(row, left, n4), t.w0, sum);
  s = fma(pixel(row, left + 1u, n4), t.w1, s);
  return fma(pixel(row, left + 2u, n4), t.w2, s);
}
