// BF16, the upper half of an f32, rows padded to 16 elements; eight to a vec4u.
#import shared/quant/k16
#import shared/quant/weight16
@group(0) @binding(2) var<storage, read> w_qs: array<vec4u>;
const WEIGHT_HAS_MIN = false;

fn bf16x4(lo: u32, hi: u32) -> vec4f {
  return bitcast<vec4f>(vec4u(lo << 16u, lo & 0xffff0000u, hi << 16u, hi & 0xffff0000u));
}

fn weight16(row: u32, j: u32) -> W16 {
  let i = (row * K16 + j) * 2u;
  let a = w_qs[i];
  let b = w_qs[i + 1u];
  return W16(mat4x4f(bf16x4(a.x, a.y), bf16x4(a.z, a.w), bf16x4(b.x, b.y), bf16x4(b.z, b.w)), 1.0, 0.0);
}
