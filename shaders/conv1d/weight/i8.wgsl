// Codes i8, four a word, and a scale a row, which the sum is multiplied with.
#import shared/quant/bytes
@group(0) @binding(2) var<storage, read> w_qs: array<u32>;
@group(0) @binding(3) var<storage, read> w_sc: array<vec4f>;

fn weight4(row: u32, j: u32, quarter: u32) -> vec4f {
  return i8x4(w_qs[(row * K16 + j) * 4u + quarter]);
}

fn scaled(v: vec4f, n4: u32) -> vec4f {
  return v * w_sc[n4];
}
